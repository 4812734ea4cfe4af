/** What a terminal sends, named: keys with their modifiers, and the sequences that stand for them. */

export interface Key {
  /** A character in lower case, or a name: `return`, `escape`, `up`, `pageup`, `f1`, … */
  readonly name: string
  readonly ctrl: boolean
  readonly alt: boolean
  readonly shift: boolean
}

export type InputEvent =
  | { readonly type: 'key'; readonly key: Key }
  | { readonly type: 'text'; readonly text: string }
  /** `complete` is false when the terminal never told the end of the paste. */
  | { readonly type: 'paste'; readonly text: string; readonly complete: boolean }
  | { readonly type: 'focus'; readonly focused: boolean }
  /** The terminal's answer to a question of ours, without its introducer and end. */
  | { readonly type: 'reply'; readonly text: string }

export function key(name: string, modifiers: Partial<Omit<Key, 'name'>> = {}): Key {
  return {
    name,
    ctrl: modifiers.ctrl ?? false,
    alt: modifiers.alt ?? false,
    shift: modifiers.shift ?? false,
  }
}

/** `ctrl-alt-x`: the spelling by which key bindings are looked up and shown. */
export function spell({ name, ctrl, alt, shift }: Key): string {
  return `${ctrl ? 'ctrl-' : ''}${alt ? 'alt-' : ''}${shift ? 'shift-' : ''}${name}`
}

const letters: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  E: 'clear',
  F: 'end',
  H: 'home',
  M: 'return',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
}

const numbers: Readonly<Record<number, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
}

/** Code points that stand for a key rather than a character (C0, and the kitty protocol's keypad). */
const codes: Readonly<Record<number, string>> = {
  8: 'backspace',
  9: 'tab',
  13: 'return',
  27: 'escape',
  32: 'space',
  127: 'backspace',
  57414: 'return',
  57417: 'left',
  57418: 'right',
  57419: 'up',
  57420: 'down',
  57421: 'pageup',
  57422: 'pagedown',
  57423: 'home',
  57424: 'end',
  57425: 'insert',
  57426: 'delete',
}

/** xterm's modifier parameter: 1 + shift 1, alt 2, ctrl 4 (super, hyper and locks are not told apart here). */
function modifiersOf(parameter: number | undefined): Omit<Key, 'name'> {
  const bits = Math.max(0, (parameter ?? 1) - 1)
  return { shift: (bits & 1) !== 0, alt: (bits & 2) !== 0, ctrl: (bits & 4) !== 0 }
}

function fromCode(code: number, modifiers: Omit<Key, 'name'>): InputEvent | undefined {
  const name = codes[code]
  if (name === 'space' && !modifiers.ctrl && !modifiers.alt) return { type: 'text', text: ' ' }
  if (name !== undefined) return { type: 'key', key: { name, ...modifiers } }
  // The rest of the private use area names keys that type nothing: modifiers alone, media keys.
  if (code < 32 || code > 0x10ffff || (code >= 57344 && code <= 63743) || (code >= 0xd800 && code <= 0xdfff))
    return undefined
  const char = String.fromCodePoint(code)
  if (modifiers.ctrl || modifiers.alt) return { type: 'key', key: { name: char.toLowerCase(), ...modifiers } }
  return { type: 'text', text: modifiers.shift ? char.toUpperCase() : char }
}

/**
 * One complete CSI sequence (without `ESC [`) as an event; undefined for one that types nothing.
 * Forms: xterm's `1;5C` and `3;2~`, modifyOtherKeys `27;5;13~`, kitty's `97;5u` (releases dropped), focus `I`/`O`, answers.
 */
export function fromCsi(parameters: string, final: string): InputEvent | undefined {
  if (/^[<=>?]/.test(parameters)) return { type: 'reply', text: parameters + final }
  const fields = parameters.split(';').map((field) => field.split(':').map(Number))
  const first = fields[0]?.[0]
  const second = fields[1]?.[0]
  if (fields[1]?.[1] === 3) return undefined
  const modifiers = modifiersOf(second)
  if (final === '~') {
    if (first === 27 && fields[2] !== undefined) return fromCode(fields[2][0] ?? 0, modifiers)
    const name = first === undefined ? undefined : numbers[first]
    return name === undefined ? undefined : { type: 'key', key: { name, ...modifiers } }
  }
  if (final === 'u') {
    const typed = fields[2]?.filter((code) => code > 31 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff))
    if (typed?.length && !modifiers.ctrl && !modifiers.alt)
      return { type: 'text', text: String.fromCodePoint(...typed) }
    return fromCode(first ?? 0, modifiers)
  }
  if (parameters === '' && final === 'I') return { type: 'focus', focused: true }
  if (parameters === '' && final === 'O') return { type: 'focus', focused: false }
  if (final === 'Z') return { type: 'key', key: key('tab', { shift: true }) }
  if (final === 'R' && second !== undefined && first !== 1) return { type: 'reply', text: parameters + final }
  const name = letters[final]
  return name === undefined ? undefined : { type: 'key', key: { name, ...modifiers } }
}

/** A key that follows `ESC O` (application mode). */
export function fromSs3(final: string): InputEvent | undefined {
  const name = letters[final]
  return name === undefined ? undefined : { type: 'key', key: key(name) }
}

/** A C0 control byte as the key that sends it. */
export function fromControl(code: number, alt: boolean): InputEvent {
  const named = codes[code]
  if (named !== undefined) return { type: 'key', key: key(named, { alt }) }
  if (code === 0) return { type: 'key', key: key('space', { ctrl: true, alt }) }
  if (code <= 26) return { type: 'key', key: key(String.fromCharCode(code + 96), { ctrl: true, alt }) }
  return { type: 'key', key: key(String.fromCharCode(code + 64).toLowerCase(), { ctrl: true, alt }) }
}
