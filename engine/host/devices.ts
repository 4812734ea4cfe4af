/** What the machine has to compute with: devices, and how fast its memory is read. */
import koffi from 'koffi'
import { later, type Native } from './functions.ts'
import type { Library } from './library.ts'
import { libc } from './library.ts'
import type { Device } from './protocol.ts'

/** `ggml_backend_dev_type`. */
const kinds: readonly Device['kind'][] = ['cpu', 'gpu', 'integrated-gpu', 'accelerator']

export function listDevices({ call }: Library): Device[] {
  return Array.from({ length: Number(call.deviceCount()) }, (_, i) => {
    const device = call.device(i)
    const free: [number | bigint | null] = [null]
    const total: [number | bigint | null] = [null]
    call.deviceMemory(device, free, total)
    return {
      name: call.deviceName(device),
      description: call.deviceDescription(device),
      kind: kinds[call.deviceType(device)] ?? 'accelerator',
      freeBytes: Number(free[0] ?? 0),
      totalBytes: Number(total[0] ?? 0),
    }
  })
}

/** Larger than any cache of a processor, for each thread. */
const stretchBytes = 96 * 1024 * 1024

/**
 * Bytes a second that so many threads read together: libc's memchr runs over memory in which there is nothing to find,
 * which costs no more than the reading.
 */
export async function readBandwidth(ms: number, threads: number): Promise<number> {
  const search = koffi
    .load(libc())
    .func('void *memchr(const void *memory, int value, size_t bytes)') as unknown as Native<
    [Uint8Array, number, number],
    bigint | null
  >
  // Filled, because untouched pages are all the same one.
  const stretches = Array.from({ length: threads }, () => Buffer.alloc(stretchBytes, 1))
  for (const stretch of stretches) search(stretch, 0, stretch.length)
  const began = performance.now()
  const passes = await Promise.all(
    stretches.map(async (stretch) => {
      let count = 0
      for (; performance.now() - began < ms; count++) await later(search, stretch, 0, stretch.length)
      return count
    }),
  )
  const seconds = (performance.now() - began) / 1000
  return (passes.reduce((sum, count) => sum + count, 0) * stretchBytes) / seconds
}
