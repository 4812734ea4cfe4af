/**
 * Bytes of a terminal to keys, text and pastes. Bytes come in any cut: inside a character, inside a sequence, inside
 * the end mark of a paste. What turns out to be no sequence is text: nothing that a person typed is dropped.
 *
 * Ink's own parser is not used: it gives no focus events and no answers to questions, and holds an unended paste for ever.
 */
import { fromControl, fromCsi, fromSs3, type InputEvent, key } from './keys.ts'

const esc = '\x1b'
const pasteEnd = '\x1b[201~'
/** Longest answer of a terminal that is waited for; anything longer was never one. */
const longestReply = 1024

export interface Decoder {
  push(bytes: Uint8Array): InputEvent[]
  /** True while bytes wait for the rest of a character, sequence or paste. */
  readonly waiting: boolean
  /** Milliseconds to wait for the rest before `flush`: short for a lone Escape, long inside a paste. */
  readonly patience: number
  /** The rest did not come: gives what is held as what it most likely is. */
  flush(): InputEvent[]
}

export function openDecoder(): Decoder {
  let utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  let held = ''
  let inPaste = false
  let midCharacter = false

  const push = (bytes: Uint8Array): InputEvent[] => {
    held += utf8.decode(bytes, { stream: true })
    midCharacter = bytes.length > 0 && (bytes.at(-1) as number) >= 0x80
    return decode(false)
  }

  const flush = (): InputEvent[] => {
    held += utf8.decode()
    utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
    midCharacter = false
    return decode(true)
  }

  const decode = (final: boolean): InputEvent[] => {
    const events: InputEvent[] = []
    while (held !== '') {
      const taken = inPaste ? takePaste(final, events) : takeOne(final, events)
      if (taken === 0) break
      held = held.slice(taken)
    }
    return merge(events)
  }

  /** Takes what of a paste is here; it is given whole, at its end. */
  const takePaste = (final: boolean, events: InputEvent[]): number => {
    const end = held.indexOf(pasteEnd)
    if (end < 0 && !final) return 0
    inPaste = false
    const text = end < 0 ? held : held.slice(0, end)
    if (text !== '') events.push({ type: 'paste', text, complete: end >= 0 })
    return end < 0 ? held.length : end + pasteEnd.length
  }

  const takeOne = (final: boolean, events: InputEvent[]): number => {
    const sequence = held.startsWith(esc) ? readSequence(held, final) : readPlain(held)
    if (sequence === undefined) return 0
    if (sequence.pasteStart) inPaste = true
    events.push(...sequence.events)
    return sequence.length
  }

  return {
    push,
    flush,
    get waiting() {
      return held !== '' || midCharacter || inPaste
    },
    get patience() {
      return inPaste ? 1000 : held === esc ? 40 : 200
    },
  }
}

interface Taken {
  readonly length: number
  readonly events: readonly InputEvent[]
  readonly pasteStart?: boolean
}

const one = (length: number, event: InputEvent | undefined): Taken => ({
  length,
  events: event === undefined ? [] : [event],
})

function readPlain(text: string): Taken {
  const printable = /^[^\x00-\x1f\x7f]+/.exec(text)?.[0]
  if (printable !== undefined) return one(printable.length, { type: 'text', text: printable })
  return one(1, fromControl(text.charCodeAt(0), false))
}

/** What begins with ESC; undefined while the rest may still come. */
function readSequence(text: string, final: boolean): Taken | undefined {
  const lone = one(1, { type: 'key', key: key('escape') })
  const second = text[1]
  if (second === undefined) return final ? lone : undefined
  if (second === '[') return readCsi(text, final) ?? (final ? lone : undefined)
  if (second === 'O') {
    if (text[2] === undefined) return final ? alt('O') : undefined
    const event = fromSs3(text[2])
    return event === undefined ? alt('O') : one(3, event)
  }
  if (']P_^'.includes(second)) return readReply(text) ?? (final || text.length > longestReply ? alt(second) : undefined)
  if (second === esc) return doubled(text, final, lone)
  const code = text.codePointAt(1) as number
  if (code < 32 || code === 127) return one(2, fromControl(code, true))
  return alt(String.fromCodePoint(code))
}

const alt = (char: string): Taken =>
  one(1 + char.length, {
    type: 'key',
    key: key(char.toLowerCase(), { alt: true, shift: char !== char.toLowerCase() }),
  })

/** `ESC ESC [ A` is Alt with an arrow; else the first Escape stands alone. */
function doubled(text: string, final: boolean, lone: Taken): Taken | undefined {
  if (text[2] === undefined) return final ? lone : undefined
  if (text[2] !== '[' && text[2] !== 'O') return lone
  const inner = readSequence(text.slice(1), final)
  const event = inner?.events[0]
  if (inner === undefined) return undefined
  if (inner.pasteStart || event?.type !== 'key' || event.key.name === 'escape') return lone
  return one(inner.length + 1, { type: 'key', key: { ...event.key, alt: true } })
}

/** ECMA-48: parameter bytes 0x30–0x3f, intermediates 0x20–0x2f, one final byte 0x40–0x7e. */
function readCsi(text: string, final: boolean): Taken | undefined {
  const whole = /^\x1b\[(\[?[0-?]*)([ -/]*)([@-~])/.exec(text)
  if (whole !== null) {
    const [sequence, parameters = '', between = '', end = ''] = whole
    if (parameters === '200' && end === '~') return { length: sequence.length, events: [], pasteStart: true }
    // The Linux console's function keys: ESC [ [ A.
    if (parameters === '[') return one(sequence.length, fromSs3(String.fromCharCode(end.charCodeAt(0) + 15)))
    return one(sequence.length, between === '' ? fromCsi(parameters, end) : undefined)
  }
  if (!final && /^\x1b\[\[?[0-?]*[ -/]*$/.test(text) && text.length <= longestReply) return undefined
  return one(1, { type: 'key', key: key('escape') })
}

/** OSC, DCS, APC and PM strings: answers of the terminal, ended by BEL or ESC \. */
function readReply(text: string): Taken | undefined {
  const whole = /^\x1b[\]P_^]([^\x07\x1b]{0,1024})(?:\x07|\x1b\\)/.exec(text)
  return whole === null ? undefined : one(whole[0].length, { type: 'reply', text: whole[1] ?? '' })
}

/** Neighbouring text becomes one event, so that a burst of typing is one edit. */
function merge(events: readonly InputEvent[]): InputEvent[] {
  const merged: InputEvent[] = []
  for (const event of events) {
    const last = merged.at(-1)
    if (event.type === 'text' && last?.type === 'text')
      merged[merged.length - 1] = { type: 'text', text: last.text + event.text }
    else merged.push(event)
  }
  return merged
}
