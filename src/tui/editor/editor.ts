/** The text being written: a value and pure steps on it. Offsets are UTF-16 and lie between user-perceived characters. */
import { nextBoundary, previousBoundary } from '../text/width.ts'

/** Something big that stands in the text as one character: a long paste, a picture. */
export interface Chip {
  /** What the chip stands for and is expanded to. */
  readonly content: string
  /** What is shown in its place. */
  readonly label: string
}

export interface Editor {
  readonly text: string
  readonly cursor: number
  /** By the private-use character that stands for each in `text`. */
  readonly chips: ReadonlyMap<string, Chip>
  /** Last text killed, for yank. */
  readonly killed: string
  readonly past: readonly Snapshot[]
  readonly future: readonly Snapshot[]
  /** What the last step was: typing in one go is undone in one go, kills in a row add up. */
  readonly last: 'type' | 'kill' | 'other'
}

interface Snapshot {
  readonly text: string
  readonly cursor: number
}

export type Motion =
  | 'left'
  | 'right'
  | 'word-left'
  | 'word-right'
  /** The start of the next word, as vim's `w` goes. */
  | 'next-word'
  | 'line-start'
  | 'line-end'
  | 'text-start'
  | 'text-end'

export const emptyEditor: Editor = {
  text: '',
  cursor: 0,
  chips: new Map(),
  killed: '',
  past: [],
  future: [],
  last: 'other',
}

const undoDepth = 200
/** Private-use characters (plane 15) stand for chips. */
const firstChip = 0xf0000
const lastChip = 0xf0fff
export const chipPattern = /[\u{f0000}-\u{f0fff}]/gu

/** Inserts typed text at the cursor; line breaks in any spelling become `\n`. */
export function insert(editor: Editor, typed: string): Editor {
  const safe = apart(editor, typed)
  return change(safe, safe.cursor, safe.cursor, typed.replace(/\r\n?/g, '\n'), 'type')
}

/** Inserts a paste: short ones as text, those over `foldLines` lines or 1,500 characters as a chip. */
export function paste(editor: Editor, pasted: string, foldLines = 8): Editor {
  const text = pasted.replace(/\r\n?/g, '\n')
  const lines = text.replace(/\n$/, '').split('\n').length
  if (lines <= foldLines && text.length <= 1500) return { ...insert(editor, text), last: 'other' }
  const size = lines > 1 ? `${lines} lines` : `${text.length} characters`
  return insertChip(editor, { content: text, label: `[paste ${editor.chips.size + 1}: ${size}]` })
}

export function insertChip(editor: Editor, chip: Chip): Editor {
  let code = firstChip
  while (editor.chips.has(String.fromCodePoint(code)) || editor.text.includes(String.fromCodePoint(code))) code += 1
  if (code > lastChip) return insert(editor, chip.content)
  const char = String.fromCodePoint(code)
  const chips = new Map(editor.chips).set(char, chip)
  return change({ ...editor, chips }, editor.cursor, editor.cursor, char, 'other')
}

/** Opens the chip before or at the cursor into its text; the same editor when there is none. */
export function expandChip(editor: Editor): Editor {
  const { text, cursor, chips } = editor
  for (const from of [previousBoundary(text, cursor), cursor]) {
    const to = nextBoundary(text, from)
    const chip = chips.get(text.slice(from, to))
    if (chip !== undefined) return change(editor, from, to, chip.content, 'other')
  }
  return editor
}

/** The text as it is sent: every chip as what it stands for. */
export function expanded(editor: Pick<Editor, 'text' | 'chips'>): string {
  return editor.text.replace(chipPattern, (char) => editor.chips.get(char)?.content ?? char)
}

export function move(editor: Editor, motion: Motion): Editor {
  return { ...editor, cursor: target(editor, motion), last: 'other' }
}

/** Removes from the cursor to where the motion leads. */
export function erase(editor: Editor, motion: Motion): Editor {
  const to = target(editor, motion)
  return change(editor, Math.min(editor.cursor, to), Math.max(editor.cursor, to), '', 'other')
}

/** As `erase`, and keeps what was removed for yank. At the end of a line, `line-end` takes the line break. */
export function kill(editor: Editor, motion: Motion): Editor {
  let to = target(editor, motion)
  if (motion === 'line-end' && to === editor.cursor) to = nextBoundary(editor.text, to)
  const from = Math.min(editor.cursor, to)
  const end = Math.max(editor.cursor, to)
  if (from === end) return editor
  const removed = editor.text.slice(from, end)
  const before = editor.last === 'kill' ? editor.killed : ''
  const killed = to < editor.cursor ? removed + before : before + removed
  return { ...change(editor, from, end, '', 'kill'), killed }
}

export function yank(editor: Editor): Editor {
  return editor.killed === '' ? editor : change(editor, editor.cursor, editor.cursor, editor.killed, 'other')
}

/** Swaps the two characters around the cursor, as Ctrl-T does; at the end of a line the last two. */
export function transpose(editor: Editor): Editor {
  const { text } = editor
  const atEnd = editor.cursor === text.length || text[editor.cursor] === '\n'
  const middle = atEnd ? previousBoundary(text, editor.cursor) : editor.cursor
  const start = previousBoundary(text, middle)
  const end = nextBoundary(text, middle)
  const [left, right] = [text.slice(start, middle), text.slice(middle, end)]
  if (left === '' || right === '' || left === '\n' || right === '\n') return editor
  return change(editor, start, end, right + left, 'other')
}

/** Changes the case of the word after the cursor. */
export function recase(editor: Editor, how: 'upper' | 'lower' | 'capital'): Editor {
  const end = target(editor, 'word-right')
  const word = editor.text.slice(editor.cursor, end)
  const lower = word.toLowerCase()
  const cased = how === 'upper' ? word.toUpperCase() : lower
  const capital = lower.replace(/\p{L}/u, (letter) => letter.toUpperCase())
  return change(editor, editor.cursor, end, how === 'capital' ? capital : cased, 'other')
}

/** Replaces the range with other text and puts the cursor behind it. */
export function replace(editor: Editor, from: number, to: number, text: string): Editor {
  return change(editor, from, to, text, 'other')
}

/** Another whole text (history, an external editor), undoable; the cursor at its end. */
export function setText(editor: Editor, text: string): Editor {
  return change(editor, 0, editor.text.length, text, 'other')
}

export function undo(editor: Editor): Editor {
  const before = editor.past.at(-1)
  if (before === undefined) return editor
  const now = { text: editor.text, cursor: editor.cursor }
  return { ...editor, ...before, past: editor.past.slice(0, -1), future: [...editor.future, now], last: 'other' }
}

export function redo(editor: Editor): Editor {
  const after = editor.future.at(-1)
  if (after === undefined) return editor
  const now = { text: editor.text, cursor: editor.cursor }
  return { ...editor, ...after, past: [...editor.past, now], future: editor.future.slice(0, -1), last: 'other' }
}

function change(editor: Editor, from: number, to: number, text: string, kind: Editor['last']): Editor {
  if (from === to && text === '') return { ...editor, last: kind }
  const continues = kind === 'type' && editor.last === 'type' && !text.includes('\n')
  const past = continues
    ? editor.past
    : [...editor.past.slice(1 - undoDepth), { text: editor.text, cursor: editor.cursor }]
  return {
    ...editor,
    text: editor.text.slice(0, from) + text + editor.text.slice(to),
    cursor: from + text.length,
    past,
    future: [],
    last: kind,
  }
}

/** Typed text may hold a character that stands for a chip: then the chip gets another one, and the text stays as typed. */
function apart(editor: Editor, typed: string): Editor {
  const clashes = (typed.match(chipPattern) ?? []).filter((char) => editor.chips.has(char))
  if (clashes.length === 0) return editor
  let { text } = editor
  const chips = new Map(editor.chips)
  for (const char of new Set(clashes)) {
    let code = firstChip
    const taken = (one: string): boolean => chips.has(one) || text.includes(one) || typed.includes(one)
    while (taken(String.fromCodePoint(code))) code += 1
    const other = String.fromCodePoint(code)
    text = text.replaceAll(char, other)
    chips.set(other, chips.get(char) as Chip)
    chips.delete(char)
  }
  // Earlier snapshots still hold the old characters, so the way back is given up with them.
  return { ...editor, text, chips, past: [], future: [] }
}

const wordChar = /[\p{L}\p{N}\p{M}_\u{f0000}-\u{f0fff}]/u

function target({ text, cursor }: Editor, motion: Motion): number {
  switch (motion) {
    case 'left':
      return previousBoundary(text, cursor)
    case 'right':
      return nextBoundary(text, cursor)
    case 'word-left':
      return skip(text, skip(text, cursor, -1, false), -1, true)
    case 'word-right':
      return skip(text, skip(text, cursor, 1, false), 1, true)
    case 'next-word':
      return skip(text, skip(text, cursor, 1, true), 1, false)
    case 'line-start':
      return text.lastIndexOf('\n', cursor - 1) + 1
    case 'line-end': {
      const end = text.indexOf('\n', cursor)
      return end < 0 ? text.length : end
    }
    case 'text-start':
      return 0
    case 'text-end':
      return text.length
  }
}

/** Moves over characters that are (or are not) part of words. */
function skip(text: string, from: number, direction: 1 | -1, word: boolean): number {
  let at = from
  for (;;) {
    const next = direction === 1 ? nextBoundary(text, at) : previousBoundary(text, at)
    if (next === at) return at
    const char = text.slice(Math.min(at, next), Math.max(at, next))
    if (wordChar.test(char) !== word) return at
    at = next
  }
}
