/** By what it is told whether a saved reading holds a certain text: without the text, and without the model. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { EngineError } from '../engine.ts'
import { readDescription } from './description.ts'
import type { KvEntry } from './entries.ts'
import type { TextMark } from './text-mark.ts'

const mostFirst = 64
const stride = 256

/** The mark of a text of these tokens. */
export function markOf(tokens: ArrayLike<number>): TextMark {
  const ids = Int32Array.from(tokens)
  return { first: [...ids.subarray(0, mostFirst)], digests: digestsOf(ids), tokens: ids.length }
}

/**
 * Whether a reading holds the text, or its beginning where the reading ends inside of it. False for one that cannot be read, and
 * where only a little of the text is in it: that may be the beginning of another.
 */
export async function holdsText({ file }: Pick<KvEntry, 'file'>, mark: TextMark): Promise<boolean> {
  try {
    await using handle = await open(file)
    const { tokens } = await readDescription(handle, file)
    const at = beginningOf(tokens, mark.first)
    const held = at < 0 ? [] : digestsOf(tokens.subarray(at, at + mark.tokens))
    // The last one is of a beginning that ends anywhere, but where all of it is held.
    const whole = at + mark.tokens <= tokens.length ? held : held.slice(0, -1)
    return whole.length > 0 && whole.every((digest, n) => digest === mark.digests[n])
  } catch (error) {
    // Gone meanwhile, damaged, or of another version: whoever wants to load it is told.
    if (error instanceof EngineError || (error instanceof Error && 'code' in error)) return false
    throw error
  }
}

function beginningOf(tokens: Int32Array, first: readonly number[]): number {
  if (first.length === 0) return -1
  for (let at = 0; at + first.length <= tokens.length; at += 1)
    if (first.every((id, n) => tokens[at + n] === id)) return at
  return -1
}

function digestsOf(ids: Int32Array): string[] {
  const hash = createHash('sha256')
  const digests: string[] = []
  for (let at = 0; at < ids.length; at += stride) {
    const some = ids.subarray(at, at + stride)
    hash.update(Buffer.from(some.buffer, some.byteOffset, some.byteLength))
    digests.push(hash.copy().digest('hex').slice(0, 32))
  }
  return digests
}
