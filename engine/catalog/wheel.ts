/** Takes one file out of a Python wheel (a zip archive). Nothing else of the wheel is looked at. */
import { pipeline } from 'node:stream/promises'
import { openPromise } from 'yauzl'

/** What a wheel is not: readable, or the holder of the wanted file. */
export class WheelError extends Error {
  override readonly name = 'WheelError'
}

/**
 * Streams the file at `inside` to `onChunk`, from its byte `skip` on. Rejects with WheelError when the archive is
 * broken, has no such file, or has it in another size than `bytes` (so no archive can unpack to more than that).
 */
export async function readFromWheel(
  wheel: string,
  inside: string,
  options: { bytes: number; skip: number; signal: AbortSignal; onChunk: (chunk: Buffer) => Promise<void> },
): Promise<void> {
  const zip = await openPromise(wheel, { autoClose: false }).catch((error: unknown) => {
    throw new WheelError('the wheel is not a readable zip archive', { cause: error })
  })
  // Errors of the sink (the own disk) must not look like those of the archive.
  let sinkError: { error: unknown } | undefined
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== inside) continue
      if (entry.uncompressedSize !== options.bytes) {
        throw new WheelError(`${inside} has ${entry.uncompressedSize} bytes instead of ${options.bytes}`)
      }
      let { skip } = options
      await pipeline(
        await zip.openReadStreamPromise(entry),
        async (chunks: AsyncIterable<Buffer>) => {
          for await (const chunk of chunks) {
            const dropped = Math.min(skip, chunk.length)
            skip -= dropped
            if (dropped === chunk.length) continue
            await options.onChunk(chunk.subarray(dropped)).catch((error: unknown) => {
              sinkError = { error }
              throw error
            })
          }
        },
        { signal: options.signal },
      )
      return
    }
    throw new WheelError(`there is no ${inside} in the wheel`)
  } catch (error) {
    options.signal.throwIfAborted()
    if (sinkError !== undefined) throw sinkError.error
    if (error instanceof WheelError) throw error
    throw new WheelError('the wheel is damaged', { cause: error })
  } finally {
    zip.close()
  }
}
