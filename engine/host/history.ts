/** The tokens of one slot, and where each three of them stood before: what drafts are copied from. */

/** Tokens that must be equal before a place counts as the same. */
const gram = 3
const headBits = 16
/** Places with the same three tokens that are looked at, the latest first. */
const mostPlaces = 64
/** Tokens compared backwards from a place: a longer match says no more. */
export const longestMatch = 32

export interface Found {
  /** What followed there. */
  readonly tokens: readonly number[]
  /** How many tokens before are the same, `longestMatch` at most. */
  readonly match: number
}

/**
 * Tokens with hash chains over their triples (as in LZ77): places are found in the order of their distance, and cutting
 * the end undoes exactly what adding it did. The chains are built with the first search.
 */
export class TokenHistory {
  #tokens = new Int32Array(1024)
  #length = 0
  #heads: Int32Array | undefined
  /** For each position the one before it with the same hash, −1 for none. */
  #chain = new Int32Array(0)
  #indexed = 0

  get length(): number {
    return this.#length
  }

  at(position: number): number {
    return this.#tokens[position] ?? -1
  }

  push(token: number): void {
    if (this.#length === this.#tokens.length) {
      const larger = new Int32Array(this.#length * 2)
      larger.set(this.#tokens)
      this.#tokens = larger
    }
    this.#tokens[this.#length++] = token
  }

  cut(length: number): void {
    if (length >= this.#length) return
    const heads = this.#heads
    if (heads)
      while (this.#indexed > length) {
        const position = --this.#indexed
        if (position >= gram - 1) heads[this.#hash(position)] = this.#chain[position] ?? -1
      }
    this.#length = length
  }

  become(tokens: Int32Array): void {
    this.#tokens = new Int32Array(Math.max(1024, tokens.length + 256))
    this.#tokens.set(tokens)
    this.#length = tokens.length
    this.#heads = undefined
    this.#indexed = 0
  }

  /** A copy of the tokens. */
  tokens(): Int32Array {
    return this.#tokens.slice(0, this.#length)
  }

  /** The tokens before and with `last`, at most as many as a match can be long; the latest at the end. */
  tail(last: number): number[] {
    return [...this.#tokens.subarray(Math.max(0, this.#length - longestMatch + 1), this.#length), last]
  }

  /** What followed at the place that is most like `tail`. Undefined where there is none. */
  find(tail: readonly number[], most: number): Found | undefined {
    if (tail.length < gram) return undefined
    const heads = this.#index()
    const [a = 0, b = 0, c = 0] = tail.slice(-gram)
    let best = -1
    let match = gram - 1
    let places = 0
    for (
      let at = heads[hash(a, b, c)] ?? -1;
      at >= 0 && places < mostPlaces && match < tail.length;
      at = this.#chain[at] ?? -1, places++
    ) {
      // The last token of all has no follower.
      if (at + 1 >= this.#length) continue
      let same = 0
      while (same < tail.length && same <= at && this.#tokens[at - same] === tail[tail.length - 1 - same]) same++
      if (same > match) {
        best = at
        match = same
      }
    }
    if (best < 0) return undefined
    return { tokens: Array.from(this.#tokens.subarray(best + 1, Math.min(this.#length, best + 1 + most))), match }
  }

  #index(): Int32Array {
    this.#heads ??= new Int32Array(1 << headBits).fill(-1)
    if (this.#chain.length < this.#tokens.length) {
      const larger = new Int32Array(this.#tokens.length)
      larger.set(this.#chain.subarray(0, this.#indexed))
      this.#chain = larger
    }
    for (; this.#indexed < this.#length; this.#indexed++) {
      if (this.#indexed < gram - 1) continue
      const slot = this.#hash(this.#indexed)
      this.#chain[this.#indexed] = this.#heads[slot] ?? -1
      this.#heads[slot] = this.#indexed
    }
    return this.#heads
  }

  #hash(position: number): number {
    return hash(this.at(position - 2), this.at(position - 1), this.at(position))
  }
}

function hash(a: number, b: number, c: number): number {
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35)
  return (Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> (32 - headBits)) & ((1 << headBits) - 1)
}
