/** The logits of decoded positions, and what picks from them. */
import koffi from 'koffi'
import { EngineError } from '../engine.ts'
import type { Pointer } from './layout.ts'
import type { Library } from './library.ts'

/** Places of the library's output buffer that are remembered. */
const mostViews = 256

/** The logits of a decoded batch, in the library's own memory. Valid until the next decode. */
export class Logits {
  readonly #library: Library
  readonly #context: Pointer
  readonly #vocabulary: number
  readonly #views = new Map<Pointer, Float32Array>()

  constructor(library: Library, context: Pointer, vocabulary: number) {
    this.#library = library
    this.#context = context
    this.#vocabulary = vocabulary
  }

  /** @param place of the token in the batch */
  read(place: number): Float32Array {
    const address = this.#library.call.logits(this.#context, place)
    // Sampling without logits would end the process.
    if (address === null) throw new EngineError('misuse', 'there are no logits: nothing was evaluated for sampling')
    let view = this.#views.get(address)
    if (!view) {
      // The library has moved its buffer: the old views would show freed memory.
      if (this.#views.size >= mostViews) this.#views.clear()
      view = new Float32Array(koffi.view(address, this.#vocabulary * 4))
      this.#views.set(address, view)
    }
    return view
  }
}

export interface Sampler {
  /** Picks a token after a position of the decoded batch, and takes it as said. */
  pick(logits: Logits, place: number): number
  /** Whether `pick` would take the same token however the logits were rounded. Nothing is taken as said. */
  sure(logits: Logits, place: number): boolean
  /** Why the grammar is not obeyed any more. */
  readonly problem?: string | undefined
  free(): void
}
