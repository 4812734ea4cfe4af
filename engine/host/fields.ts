/**
 * Follows the text of a call and holds some of its arguments to what is on disk: a path to files that exist, the old side
 * of an edit to a run of that file's text. A grammar would need a rule for each place of each file; a look at the file
 * itself needs none, and is exact.
 */
import type { Field } from '../engine.ts'
import type { Folder } from './folder.ts'
import { decodeJson, escapable } from './json-bytes.ts'
import { lastByte, overBytes } from './triggers.ts'

/** Bytes back that the beginning of an argument can look at. */
const reach = 4000

interface State {
  /** The call so far, with its trigger and without the arguments that were followed. */
  readonly head: string
  readonly open: Known | undefined
  /** What stands in the open one. */
  readonly raw: string
  /** The file that the call names. */
  readonly file: string | undefined
}

interface Known {
  readonly field: Field
  readonly pattern: RegExp
  readonly last: string
  readonly closes: string
}

export class Fields {
  readonly #fields: readonly Known[]
  readonly #folder: Folder
  #state: State

  /** `begun`: the words of the trigger. */
  constructor(fields: readonly Field[], folder: Folder, begun: string) {
    this.#folder = folder
    this.#state = { head: begun, open: undefined, raw: '', file: undefined }
    this.#fields = fields.map((field) => ({
      field,
      pattern: overBytes(field.opens),
      last: lastByte(field.opens),
      closes: Buffer.from(field.closes, 'utf8').toString('latin1'),
    }))
  }

  /** What the argument is held to that is being followed now. */
  get open(): Field['holds'] | undefined {
    return this.#state.open?.field.holds
  }

  fits(piece: string): boolean {
    const { open } = this.#state
    // Nearly every token begins no argument.
    if (open === undefined && !this.#fields.some(({ last }) => piece.includes(last))) return true
    return this.#walk(piece) !== undefined
  }

  /** Whether it fits and the argument goes on after it. */
  goesOn(piece: string): boolean {
    const next = this.#walk(piece)
    return next?.open !== undefined && next.raw.length > this.#state.raw.length
  }

  /** The argument is followed no longer. */
  letGo(): void {
    this.#state = { ...this.#state, open: undefined }
  }

  /** What does not fit is let pass, and the argument no longer followed. */
  take(piece: string): void {
    const next = this.#walk(piece)
    if (next === undefined) this.letGo()
    else this.#state = next
  }

  #walk(piece: string): State | undefined {
    let { head, open, raw, file } = this.#state
    for (const byte of piece) {
      if (open === undefined) {
        head = (head + byte).slice(-reach)
        open = this.#fields.find(({ last, pattern }) => byte === last && pattern.test(head))
        raw = ''
        continue
      }
      const { field, closes } = open
      raw += byte
      if (!raw.endsWith(closes)) continue
      const value = raw.slice(0, -closes.length)
      // A quote that is escaped.
      if (field.written === 'json' && decodeJson(value)?.pending !== '') continue
      const said = insideOf(field, value)
      if (said === undefined || !this.#whole(field, said, file)) return undefined
      if (field.holds !== 'text') file = said
      head += closes
      open = undefined
    }
    if (open !== undefined && !this.#begins(open, raw, file)) return undefined
    return { head, open, raw, file }
  }

  #whole({ holds }: Field, value: string, file: string | undefined): boolean {
    if (holds === 'path') return true
    if (holds === 'file') return value !== '' && this.#folder.isFile(value)
    const text = file === undefined ? undefined : this.#folder.text(file)
    return text === undefined || text === '' || (value !== '' && text.includes(value))
  }

  #begins({ field, closes }: Known, raw: string, file: string | undefined): boolean {
    if (field.holds === 'path') return true
    const read = field.written === 'json' ? decodeJson(raw) : { text: raw, pending: '' }
    if (read === undefined) return false
    const { text: value, pending } = read
    if (field.holds === 'file') return this.#pathBegins(value, pending) || this.#closing(field, closes, raw, file)
    const text = file === undefined ? undefined : this.#folder.text(file)
    if (text === undefined || text === '') return true
    // Of `\uXXXX` nothing is known before its end.
    if (pending.length > 1 ? text.includes(value) : pending === '' ? text.includes(value) : escaped(text, value))
      return true
    return this.#closing(field, closes, raw, file)
  }

  #pathBegins(value: string, pending: string): boolean {
    return pending === '' ? this.#folder.begins(value) : escapable.some((byte) => this.#folder.begins(value + byte))
  }

  /** Whether it ends with the beginning of what closes it. */
  #closing(field: Field, closes: string, raw: string, file: string | undefined): boolean {
    for (let length = 1; length < closes.length && length <= raw.length; length++) {
      if (!raw.endsWith(closes.slice(0, length))) continue
      const value = insideOf(field, raw.slice(0, -length))
      if (value !== undefined && this.#whole(field, value, file)) return true
    }
    return false
  }
}

const escaped = (text: string, value: string): boolean => escapable.some((byte) => text.includes(value + byte))

function insideOf({ written }: Field, raw: string): string | undefined {
  return written === 'json' ? decodeJson(raw)?.text : raw
}
