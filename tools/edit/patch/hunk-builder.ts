/** Collects the ` `, `-` and `+` lines of one hunk. */
import type { Hunk } from './types.ts'

export class HunkBuilder {
  readonly anchors: string[] = []
  atEnd = false
  line: number | undefined
  #old: string[] = []
  #next: string[] = []
  #finalNewline: boolean | undefined
  #last = ''

  get empty(): boolean {
    return this.#old.length === 0 && this.#next.length === 0
  }

  /** False for a line that is no hunk line. An empty one is an empty context line: its space got lost on the way. */
  push(line: string): boolean {
    const sign = line === '' ? ' ' : line[0]!
    if (sign === '\\') {
      // "\ No newline at end of file" speaks of the line before: after a removed one, the new text has what the old one lacked.
      this.#finalNewline = this.#last === '-'
      return true
    }
    if (sign !== ' ' && sign !== '-' && sign !== '+') return false
    const text = line.slice(1)
    if (sign !== '+') this.#old.push(text)
    if (sign !== '-') this.#next.push(text)
    this.#last = sign
    return true
  }

  build(): Hunk {
    return {
      anchors: this.anchors,
      old: this.#old,
      next: this.#next,
      atEnd: this.atEnd,
      line: this.line,
      finalNewline: this.#finalNewline,
    }
  }
}
