/** The tokens of one decode call, in one block of memory whose addresses never change. */
import koffi from 'koffi'
import { EngineError } from '../engine.ts'
import type { BatchStruct } from './layout.ts'

export class Batch {
  readonly #capacity: number
  readonly #tokens: Int32Array
  readonly #positions: Int32Array
  /** For each token the address of its list of sequences, which always has one entry. */
  readonly #sequenceLists: BigUint64Array
  readonly #sequenceIds: Int32Array
  readonly #sequenceCounts: Int32Array
  readonly #wanted: Int8Array
  readonly #idsAddress: bigint
  readonly #struct: Omit<BatchStruct, 'n_tokens'>
  #size = 0

  constructor(capacity: number, sequences: number) {
    this.#capacity = capacity
    const block = new ArrayBuffer(capacity * (8 + 4 + 4 + 4 + 1) + sequences * 4 + 16)
    const wide = capacity * 8
    this.#sequenceLists = new BigUint64Array(block, 0, capacity)
    this.#tokens = new Int32Array(block, wide, capacity)
    this.#positions = new Int32Array(block, wide + capacity * 4, capacity)
    this.#sequenceCounts = new Int32Array(block, wide + capacity * 8, capacity).fill(1)
    this.#sequenceIds = new Int32Array(block, wide + capacity * 12, sequences)
    this.#wanted = new Int8Array(block, wide + capacity * 12 + sequences * 4, capacity)
    for (let i = 0; i < sequences; i++) this.#sequenceIds[i] = i
    const address = koffi.address(block)
    this.#idsAddress = address + BigInt(this.#sequenceIds.byteOffset)
    this.#struct = {
      token: address + BigInt(this.#tokens.byteOffset),
      embd: null,
      pos: address + BigInt(this.#positions.byteOffset),
      n_seq_id: address + BigInt(this.#sequenceCounts.byteOffset),
      seq_id: address,
      logits: address + BigInt(this.#wanted.byteOffset),
    }
  }

  get size(): number {
    return this.#size
  }

  clear(): void {
    this.#size = 0
  }

  /** More than the capacity would end the process inside the library. */
  add(token: number, position: number, sequence: number, wantLogits: boolean): void {
    const i = this.#size
    if (i >= this.#capacity) throw new EngineError('misuse', `a batch holds ${this.#capacity} tokens`)
    this.#tokens[i] = token
    this.#positions[i] = position
    this.#sequenceLists[i] = this.#idsAddress + BigInt(sequence * 4)
    this.#wanted[i] = wantLogits ? 1 : 0
    this.#size++
  }

  /** What `llama_decode` takes. Valid until the next change. */
  get struct(): BatchStruct {
    return { n_tokens: this.#size, ...this.#struct }
  }
}
