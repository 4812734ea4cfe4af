/**
 * What the sequences hold, and going back. A cache that can be cut anywhere is cut; else the last checkpoint before is
 * put back, and the caller is told how far that was.
 */
import { EngineError } from '../engine.ts'
import { type Checkpoint, Checkpoints } from './checkpoints.ts'
import { later } from './functions.ts'
import { TokenHistory } from './history.ts'
import type { Pointer } from './layout.ts'
import type { Library } from './library.ts'
import type { Model } from './model.ts'
import { pastCache } from './past-cache.ts'

/** LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY: only what a cut cannot undo (window, compressor state, recurrent state). */
const partial = 1

/** In huge pages where there are such: a state that is given whole is memory that is all new to this process. */
const roomFor = (bytes: number): Buffer => pastCache()?.allocate(bytes) ?? Buffer.allocUnsafeSlow(bytes)

export interface SlotsOptions {
  readonly slots: number
  /** A sequence of the library that is nobody's slot: states go through it by parts. Undefined: only whole. */
  readonly spare: number | undefined
  /** Tokens of all slots together. */
  readonly tokens: number
  readonly checkpointBytes: number
}

export interface StatePart {
  readonly state: Buffer
  /** What it lies in; may be given again. */
  readonly buffer: Buffer
}

/** Not for concurrent use: within a context's turn only. */
export class Slots {
  readonly #library: Library
  readonly #model: Model
  readonly #context: Pointer
  readonly #memory: Pointer
  readonly #histories: TokenHistory[]
  readonly #checkpoints: Checkpoints
  readonly #spare: number | undefined

  constructor(library: Library, model: Model, context: Pointer, options: SlotsOptions) {
    this.#library = library
    this.#model = model
    this.#context = context
    this.#memory = library.call.memory(context)
    this.#spare = options.spare
    this.#histories = Array.from({ length: options.slots }, () => new TokenHistory())
    this.#checkpoints = new Checkpoints(options.slots, options.tokens, options.checkpointBytes)
  }

  history(slot: number): TokenHistory {
    const history = this.#histories[slot]
    if (!history) throw new EngineError('misuse', `there is no sequence ${slot}`)
    return history
  }

  length(slot: number): number {
    return this.history(slot).length
  }

  /** Tells what was evaluated. */
  grown(slot: number, tokens: Int32Array): void {
    const history = this.history(slot)
    for (const token of tokens) history.push(token)
  }

  /** The length at which the next checkpoint is due; never where none are needed. */
  due(slot: number): number {
    return this.#model.rewind === 'free' ? Number.POSITIVE_INFINITY : this.#checkpoints.due(slot)
  }

  /** Copies out what this place needs to be come back to, where the model needs that. */
  async checkpoint(slot: number, when: 'now' | 'when due'): Promise<void> {
    const length = this.length(slot)
    if (this.#model.rewind === 'free' || length === 0 || this.#checkpoints.has(slot, length)) return
    if (when === 'when due' && length < this.#checkpoints.due(slot)) return
    const checkpoint = await this.#copyOut(slot)
    if (checkpoint) this.#checkpoints.add(slot, checkpoint)
  }

  /**
   * Copies out what this place needs to be come back to, and puts it back at once: from now on the sequence is what it will be
   * whenever `backTo` comes here. @param spare a place that nobody comes back to any more, for its memory
   */
  async anchor(slot: number, spare?: Checkpoint): Promise<Checkpoint> {
    const anchor = await this.#copyOut(slot, spare?.state)
    if (anchor === undefined) throw new EngineError('misuse', 'the library gave no state of the sequence')
    await this.backTo(slot, anchor)
    return anchor
  }

  /** Comes back to where `anchor` was taken. Throws, with the sequence empty, where the library refuses that. */
  async backTo(slot: number, anchor: Checkpoint): Promise<void> {
    if (await this.#putBack(slot, anchor)) return
    this.#clear(slot)
    throw new EngineError('misuse', 'the library could not go back in the sequence')
  }

  async #copyOut(slot: number, spare?: Uint8Array): Promise<Checkpoint | undefined> {
    const { call } = this.#library
    const capacity = Number(call.stateSize(this.#context, slot, partial))
    const state = spare?.length === capacity ? spare : Buffer.allocUnsafeSlow(capacity)
    const bytes = Number(await later(call.stateGet, this.#context, state, capacity, slot, partial))
    return bytes === 0 ? undefined : { length: this.length(slot), state: state.subarray(0, bytes) }
  }

  async #putBack(slot: number, { length, state }: Checkpoint): Promise<boolean> {
    const { call } = this.#library
    const used = Number(await later(call.stateSet, this.#context, state, state.length, slot, partial))
    // What the state does not hold (full attention) is cut behind it.
    if (used !== state.length || !call.memoryRemove(this.#memory, slot, length, -1)) return false
    this.history(slot).cut(length)
    this.#checkpoints.cut(slot, length)
    return true
  }

  /** Drops tokens from `length` on; see `Context.rewind`. */
  async cut(slot: number, length: number): Promise<void> {
    if (length >= this.length(slot)) return
    if (!this.#cut(slot, length)) await this.#restore(slot, length)
  }

  /** After a batch that failed: what it left is taken away. */
  async clean(slot: number): Promise<void> {
    const length = this.length(slot)
    if (this.#model.rewind === 'free') {
      if (this.#library.call.memoryLast(this.#memory, slot) >= length && !this.#cut(slot, length)) this.#clear(slot)
    }
    // Its state may have gone on within a batch without a token more to show for it.
    else await this.#restore(slot, length)
  }

  /** Makes `to` hold what `from` holds. */
  fork(from: number, to: number): void {
    const tokens = this.history(from).tokens()
    if (from === to) throw new EngineError('misuse', 'a sequence cannot be forked onto itself')
    this.#clear(to)
    if (tokens.length === 0) return
    this.#library.call.memoryCopy(this.#memory, from, to, -1, -1)
    this.history(to).become(tokens)
    this.#checkpoints.fork(from, to)
  }

  /** Whether a state can be had by parts. */
  get hasParts(): boolean {
    return this.#spare !== undefined
  }

  /** Bytes of a sequence's whole state, about. */
  stateBytes(slot: number): number {
    return Number(this.#library.call.stateSize(this.#context, slot, 0))
  }

  /**
   * The state of some tokens of a sequence (of all, where there are no parts), in `buffer` if it is large enough, else in a
   * new one. Undefined when the library gives none.
   */
  async takeOut(slot: number, from: number, to: number, buffer?: Buffer): Promise<StatePart | undefined> {
    const { call } = this.#library
    const source = this.#spare ?? slot
    try {
      if (this.#spare !== undefined) call.memoryCopy(this.#memory, slot, this.#spare, from, to)
      const capacity = this.stateBytes(source)
      const room = buffer !== undefined && buffer.length >= capacity ? buffer : roomFor(capacity)
      // A part is a matter of a millisecond, as much as going to another thread and back is on a busy machine.
      const bytes = this.hasParts
        ? Number(call.stateGet(this.#context, room, room.length, source, 0))
        : Number(await later(call.stateGet, this.#context, room, room.length, source, 0))
      return bytes === 0 ? undefined : { state: room.subarray(0, bytes), buffer: room }
    } finally {
      if (this.#spare !== undefined) call.memoryRemove(this.#memory, this.#spare, -1, -1)
    }
  }

  /** Adds a part to a sequence, behind what is there. False when the library refuses it. `settle` when all are in. */
  async putIn(slot: number, state: Buffer): Promise<boolean> {
    const { call } = this.#library
    if (this.#spare === undefined)
      return Number(await later(call.stateSet, this.#context, state, state.length, slot, 0)) === state.length
    const used = Number(call.stateSet(this.#context, state, state.length, this.#spare, 0))
    // The library puts a state in the place of a sequence; here it joins another.
    call.memoryCopy(this.#memory, this.#spare, slot, -1, -1)
    call.memoryRemove(this.#memory, this.#spare, -1, -1)
    return used === state.length
  }

  /** Tells what the parts are that were put into an empty sequence. Throws where the library holds something else. */
  async settle(slot: number, tokens: Int32Array): Promise<void> {
    const { call } = this.#library
    const found = call.memoryLast(this.#memory, slot) + 1
    if (found !== tokens.length)
      throw new EngineError('bad-state', `the state holds ${found} tokens and not ${tokens.length}`)
    this.history(slot).become(tokens)
    await this.checkpoint(slot, 'now')
  }

  empty(slot: number): void {
    this.history(slot)
    this.#clear(slot)
  }

  #clear(slot: number): void {
    this.#library.call.memoryRemove(this.#memory, slot, -1, -1)
    this.history(slot).cut(0)
    this.#checkpoints.cut(slot, 0)
  }

  /** Removes from `length` on. False, and nothing removed, where the model's memory cannot be cut there. */
  #cut(slot: number, length: number): boolean {
    if (length === 0) {
      this.#clear(slot)
      return true
    }
    if (!this.#canCut(slot, length) || !this.#library.call.memoryRemove(this.#memory, slot, length, -1)) return false
    this.history(slot).cut(length)
    this.#checkpoints.cut(slot, length)
    return true
  }

  /** A cache that keeps only a window must still hold the window before the cut. */
  #canCut(slot: number, length: number): boolean {
    const { call } = this.#library
    const window = call.modelWindow(this.#model.handle)
    // V4 says only where it ends; it knows itself how far it can be taken back.
    if (window === 0 || this.#model.architecture === 'deepseek4') return true
    return call.memoryFirst(this.#memory, slot) <= Math.max(0, length - window)
  }

  /** Puts back the last checkpoint at or before `length`; empties the sequence where there is none. */
  async #restore(slot: number, length: number): Promise<void> {
    const checkpoint = this.#checkpoints.before(slot, length)
    if (checkpoint === undefined || !(await this.#putBack(slot, checkpoint))) this.#clear(slot)
  }
}
