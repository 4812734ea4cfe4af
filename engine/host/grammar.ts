/**
 * Picks tokens that a grammar allows. The token that would be picked anyway is checked first, which costs next to
 * nothing; only when it is refused is the whole vocabulary put through the grammar (10 ms and more).
 */
import koffi from 'koffi'
import type { Pointer } from './layout.ts'
import type { Library } from './library.ts'

/** `llama_token_data_array` over the whole vocabulary: i32 id, f32 logit, f32 p for each token, then the array's head. */
export class Candidates {
  readonly #library: Library
  readonly #ids: Int32Array
  readonly #values: Float32Array
  readonly #head: DataView
  readonly #address: bigint
  readonly #headAddress: bigint
  readonly #size: number

  constructor(library: Library, vocabulary: number) {
    const headAt = Math.ceil((vocabulary * 12) / 8) * 8
    const block = new ArrayBuffer(headAt + 32)
    this.#library = library
    this.#size = vocabulary
    this.#ids = new Int32Array(block, 0, vocabulary * 3)
    this.#values = new Float32Array(block, 0, vocabulary * 3)
    this.#head = new DataView(block, headAt)
    this.#address = koffi.address(block)
    this.#headAddress = this.#address + BigInt(headAt)
  }

  one(token: number): void {
    this.#ids[0] = token
    this.#values[1] = 1
    this.#values[2] = 0
    this.#reset(1)
  }

  /** Some tokens, in this order; `moved` is added to their logits. */
  some(tokens: Int32Array, logits: Float32Array, moved?: (i: number) => number): void {
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i] as number
      this.#ids[i * 3] = token
      this.#values[i * 3 + 1] = (logits[token] ?? 0) + (moved?.(i) ?? 0)
      this.#values[i * 3 + 2] = 0
    }
    this.#reset(tokens.length)
  }

  all(logits: Float32Array): void {
    for (let token = 0; token < this.#size; token++) {
      this.#ids[token * 3] = token
      this.#values[token * 3 + 1] = logits[token] ?? 0
      this.#values[token * 3 + 2] = 0
    }
    this.#reset(this.#size)
  }

  apply(sampler: Pointer): void {
    this.#library.call.samplerApply(sampler, this.#headAddress)
  }

  /** Takes those from the list that are no longer possible, or that `fits` refuses; gives how many are left. */
  keep(fits: (token: number) => boolean): number {
    const size = Number(this.#head.getBigUint64(8, true))
    let kept = 0
    for (let i = 0; i < size; i++) {
      const value = this.#values[i * 3 + 1] ?? 0
      const token = this.#ids[i * 3] ?? 0
      if (value === Number.NEGATIVE_INFINITY || !fits(token)) continue
      this.#ids[kept * 3] = token
      this.#values[kept * 3 + 1] = value
      kept++
    }
    this.#reset(kept)
    return kept
  }

  /** Whether the first candidate is still possible. */
  get firstStands(): boolean {
    return this.#values[1] !== Number.NEGATIVE_INFINITY
  }

  /** What a chain has selected, or the most likely one. */
  get picked(): number {
    const size = Number(this.#head.getBigUint64(8, true))
    const selected = Number(this.#head.getBigInt64(16, true))
    if (selected >= 0 && selected < size) return this.#ids[selected * 3] ?? 0
    let best = 0
    for (let i = 1; i < size; i++) if ((this.#values[i * 3 + 1] ?? 0) > (this.#values[best * 3 + 1] ?? 0)) best = i
    return this.#ids[best * 3] ?? 0
  }

  #reset(size: number): void {
    this.#head.setBigUint64(0, this.#address, true)
    this.#head.setBigUint64(8, BigInt(size), true)
    this.#head.setBigInt64(16, -1n, true)
    this.#head.setUint8(24, 0)
  }
}

/** The native grammar; null for one that the library cannot read. */
export function readGrammar(library: Library, vocabulary: Pointer, gbnf: string, root: string): Pointer | null {
  // The library takes an empty one for none at all.
  return gbnf.trim() === '' ? null : library.call.grammarSampler(vocabulary, gbnf, root)
}
