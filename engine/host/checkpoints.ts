/**
 * Places that a model which cannot be cut freely can come back to: what such a model overwrites as it goes (its window,
 * its compressor or recurrent state) is copied out now and then. A few megabytes each, so they are few.
 */

/** Tokens between two of them at least: taking one costs about as much as evaluating a dozen tokens. */
const smallestInterval = 1024

export interface Checkpoint {
  /** Tokens that were in the sequence. */
  readonly length: number
  readonly state: Uint8Array
}

/** The checkpoints of all slots. Forks share theirs. */
export class Checkpoints {
  readonly #slots: Checkpoint[][]
  readonly #most: number
  readonly #tokens: number
  #largest = 0

  /** @param tokens all that the slots can hold together; @param most bytes */
  constructor(slots: number, tokens: number, most: number) {
    this.#slots = Array.from({ length: slots }, () => [])
    this.#tokens = tokens
    this.#most = most
  }

  /**
   * Tokens after which the next is due. Wide enough that a grid of them takes half of the room: then there is always
   * one to drop without leaving a gap wider than this.
   */
  get interval(): number {
    return Math.max(smallestInterval, Math.ceil((2 * this.#tokens * this.#largest) / this.#most))
  }

  get bytes(): number {
    let bytes = 0
    for (const { state } of new Set(this.#slots.flat())) bytes += state.length
    return bytes
  }

  list(slot: number): readonly Checkpoint[] {
    return this.#slots[slot] ?? []
  }

  /** The last one at or before a length. */
  before(slot: number, length: number): Checkpoint | undefined {
    return this.#slots[slot]?.findLast((c) => c.length <= length)
  }

  /** The length at which a sequence's next one is due. */
  due(slot: number): number {
    return (this.#slots[slot]?.at(-1)?.length ?? 0) + this.interval
  }

  has(slot: number, length: number): boolean {
    return this.#slots[slot]?.some((c) => c.length === length) ?? false
  }

  add(slot: number, checkpoint: Checkpoint): void {
    this.#largest = Math.max(this.#largest, checkpoint.state.length)
    const list = this.#slots[slot]
    if (!list) return
    list.push(checkpoint)
    list.sort((a, b) => a.length - b.length)
    while (this.bytes > this.#most && this.#thin());
  }

  /** Those after a length do not hold any more. */
  cut(slot: number, length: number): void {
    const list = this.#slots[slot]
    if (list) this.#slots[slot] = list.filter((c) => c.length <= length)
  }

  fork(from: number, to: number): void {
    this.#slots[to] = [...(this.#slots[from] ?? [])]
  }

  /** Drops the one whose neighbours are nearest to each other. False when none is left. */
  #thin(): boolean {
    let victim: Checkpoint | undefined
    let smallest = Number.POSITIVE_INFINITY
    for (const list of this.#slots)
      list.forEach((checkpoint, i) => {
        const next = list[i + 1]
        // The last of a sequence is what an abort comes back to.
        const gap = next ? next.length - (list[i - 1]?.length ?? 0) : Number.MAX_SAFE_INTEGER - checkpoint.length
        if (gap < smallest) {
          smallest = gap
          victim = checkpoint
        }
      })
    if (!victim) return false
    for (const [slot, list] of this.#slots.entries()) this.#slots[slot] = list.filter((c) => c !== victim)
    return true
  }
}
