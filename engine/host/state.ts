/** A sequence's state out of the library and back into it. The file around it: engine/kv/envelope.ts. */
import { EngineError } from '../engine.ts'
import { readState, writeState } from '../kv/envelope.ts'
import type { Context } from './context.ts'
import { later } from './functions.ts'

/** Saves a sequence. Gives the file's size in bytes. */
export async function saveState(
  context: Context,
  slot: number,
  tokens: Int32Array,
  key: string,
  file: string,
): Promise<number> {
  const state = await context.inTurn(async () => {
    const { call } = context.library
    const capacity = Number(call.stateSize(context.handle, slot, 0))
    const buffer = Buffer.allocUnsafe(capacity)
    const bytes = Number(await later(call.stateGet, context.handle, buffer, capacity, slot, 0))
    if (bytes === 0) throw new EngineError('bad-state', 'the library gave no state to save')
    return buffer.subarray(0, bytes)
  })
  return writeState(file, { key, tokens, state })
}

/** Puts a saved state into a sequence and gives its tokens. On any failure the sequence is empty. */
export async function loadState(context: Context, slot: number, key: string, file: string): Promise<Int32Array> {
  const { tokens, state } = await readState(file, (saved) => {
    if (saved.key !== key) return 'it was made with another model or another version'
    return saved.tokens > context.sequenceTokens
      ? `it holds ${saved.tokens} tokens, more than the context of ${context.sequenceTokens}`
      : undefined
  })
  await context.inTurn(() =>
    context.slots.replace(slot, tokens, async () => {
      const { call } = context.library
      const used = Number(await later(call.stateSet, context.handle, state, state.length, slot, 0))
      if (used !== state.length)
        throw new EngineError('bad-state', `the library refused the saved state ${file}. The text must be read again`)
    }),
  )
  return tokens
}
