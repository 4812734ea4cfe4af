/**
 * A sequence's state out of the library and back into it, part by part where the library can: a part is some tokens of it.
 * The file around it: engine/kv/envelope.ts.
 */
import { EngineError } from '../engine.ts'
import { unusable } from '../kv/description.ts'
import { readState, type SavedState, writeState } from '../kv/envelope.ts'
import type { Context } from './context.ts'
import { pastCache } from './past-cache.ts'

/** Bytes of a part, about: small enough to stay in a processor's cache from one step to the next. */
const partBytes = 4_000_000
/** A part has at least so many tokens: each costs the library a look at all of its cells. */
const leastTokens = 32

/** Saves a sequence, which nobody may change meanwhile. Gives the file's size in bytes. */
export async function saveState(
  context: Context,
  slot: number,
  tokens: Int32Array,
  key: string,
  file: string,
): Promise<number> {
  return writeState(file, { key, tokens, parts: partsOf(context, slot, tokens.length) })
}

async function* partsOf(context: Context, slot: number, tokens: number): AsyncGenerator<Buffer> {
  const whole = await context.inTurn(async () => context.slots.stateBytes(slot))
  const step = context.slots.hasParts ? Math.max(leastTokens, Math.floor((partBytes * tokens) / whole)) : tokens
  const buffers: Buffer[] = []
  for (let from = 0; from === 0 || from < tokens; from += step) {
    if (context.length(slot) !== tokens) throw new EngineError('misuse', 'the sequence was changed while it was saved')
    const to = Math.min(tokens, from + step)
    // The one before is still being written.
    const spare = buffers.length > 1 ? buffers.shift() : undefined
    const part = await context.inTurn(() => context.slots.takeOut(slot, from, to, spare))
    if (part === undefined) throw new EngineError('bad-state', 'the library gave no state to save')
    buffers.push(part.buffer)
    yield part.state
  }
}

/** Puts a saved state into a sequence and gives its tokens. On any failure the sequence is empty. */
export async function loadState(context: Context, slot: number, key: string, file: string): Promise<Int32Array> {
  const take = async ({ key: made, tokens, parts }: SavedState): Promise<Int32Array> => {
    if (made !== key) throw unusable(file, 'it was made with another model or another version')
    if (tokens.length > context.sequenceTokens)
      throw unusable(file, `it holds ${tokens.length} tokens, more than the context of ${context.sequenceTokens}`)
    await context.inTurn(async () => context.slots.empty(slot))
    try {
      for await (const part of parts) {
        if (!(await context.inTurn(() => context.slots.putIn(slot, part))))
          throw new EngineError('bad-state', `the library refused the saved state ${file}. The text must be read again`)
      }
      await context.inTurn(() => context.slots.settle(slot, tokens))
    } catch (error) {
      await context.inTurn(async () => context.slots.empty(slot))
      throw error
    }
    return tokens
  }
  return readState(file, take, pastCache())
}
