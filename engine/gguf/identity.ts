/** Tells model files apart without reading gigabytes. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { GgufHeader } from './types.ts'

const samples = 64
const sampleBytes = 512

/**
 * A key for caches: the file's size, its header's digest, and a digest of 64 samples of its weights (two trainings of
 * the same model can have the same header). Not a protection against forgery.
 */
export async function modelIdentity(path: string, header: GgufHeader): Promise<string> {
  const hash = createHash('sha256').update(header.digest)
  const buffer = Buffer.alloc(sampleBytes)
  const file = await open(path)
  try {
    const span = header.fileBytes - header.dataOffset
    for (let i = 0; i < samples; i++) {
      const at = header.dataOffset + Math.floor((span * i) / samples)
      const { bytesRead } = await file.read(buffer, 0, sampleBytes, at)
      hash.update(buffer.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
  return `${header.fileBytes}-${hash.digest('hex').slice(0, 32)}`
}
