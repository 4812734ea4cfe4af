/** Where the turns of a conversation began, and what was known then: for taking them back, and for putting a task anew. */
import type { Picture } from '../engine/index.ts'
import type { KnownMark } from './context/known.ts'
import type { Mark } from './mark.ts'

/** A turn of the conversation, and all that has to go back with it. */
export interface TurnMark {
  readonly mark: Mark
  readonly known: KnownMark
  /** Path → `fingerprint` of what the model had been shown whole. */
  readonly shown: ReadonlyMap<string, string>
  readonly first: boolean
}

/** What a task was put in front of the model with. */
export interface Begun {
  readonly task: string
  readonly news: string
  readonly pictures: readonly Picture[]
  /** Undefined: those that it names. */
  readonly files: readonly string[] | undefined
}

interface Turn extends TurnMark {
  /** The record of what it changed in files; see TurnRecorder. */
  recorded: string | undefined
}

export class TurnMarks {
  /** None from before a rebuild. */
  readonly #turns: Turn[] = []
  #current: Turn | undefined
  #begun: Begun | undefined

  /** A turn begins; undefined where there is no way back. */
  begin(mark: TurnMark | undefined): void {
    this.#current = mark && { ...mark, recorded: undefined }
    this.#begun = undefined
    if (this.#current !== undefined) this.#turns.push(this.#current)
  }

  begunWith(begun: Begun): void {
    this.#begun = begun
  }

  /** The turn that goes on, where its task can be put anew. */
  get current(): (TurnMark & Begun) | undefined {
    return this.#current && this.#begun && { ...this.#current, ...this.#begun }
  }

  /** By which record the turn that has ended can be taken back. */
  ended(recorded: string | undefined): void {
    if (this.#current !== undefined) this.#current.recorded = recorded
  }

  /** The records of the turns that can be taken back, the last first; undefined for one that changed no file. */
  get records(): readonly (string | undefined)[] {
    return this.#turns.map(({ recorded }) => recorded).toReversed()
  }

  /** Where the last `count` turns began; undefined where there are not so many. */
  before(count: number): TurnMark | undefined {
    return count > 0 ? this.#turns.at(-count) : undefined
  }

  drop(count: number): void {
    this.#turns.length -= count
  }

  clear(): void {
    this.#turns.length = 0
  }
}
