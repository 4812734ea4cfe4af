/** Reading a file past the page cache, on Linux: what of it is in the cache, and memory that such reads can fill. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import koffi from 'koffi'
import { blockBytes } from '../kv/description.ts'
import type { PastCache } from '../kv/envelope.ts'
import { libc } from './library.ts'

/** cachestat(2), the same on every architecture; since Linux 6.5. */
const cachestat = 451
/** Pages of the cache have this size but on some arm64 machines, where they are larger: there is more in it than we think. */
const pageBytes = 4096
/**
 * The usual size of huge pages. Memory for reads past the cache is asked for in them: the disk is then given a few long pieces
 * and not a page each, which this machine reads far faster (2.7 instead of 1.5 GB/s, 470 MB).
 */
const hugeBytes = 2 * 1024 * 1024
/** MADV_HUGEPAGE, the same on every architecture but parisc. */
const adviceHuge = 14

let found: PastCache | undefined

/** Undefined where there is no such way. */
export function pastCache(): PastCache | undefined {
  if (process.platform !== 'linux') return undefined
  found ??= make()
  return found
}

function make(): PastCache {
  const library = koffi.load(libc())
  const call = library.func('long syscall(long number, int fd, void *range, void *found, unsigned int flags)')
  const advise = library.func('int madvise(uintptr_t address, size_t bytes, int advice)')
  return {
    async open(handle) {
      const { size } = await handle.stat()
      const pages = pagesInCache(call, handle, size)
      // Half of it in the cache is about as fast either way.
      if (pages === undefined || 2 * pages * pageBytes >= size) return undefined
      // The very same file, whatever its name stands for by now.
      return open(`/proc/self/fd/${handle.fd}`, constants.O_RDONLY | constants.O_DIRECT).catch(
        () => undefined, // not every file system has this way, and /proc may be hidden
      )
    },
    allocate(bytes) {
      const huge = bytes >= hugeBytes
      const step = huge ? hugeBytes : blockBytes
      const whole = Math.ceil(bytes / step) * step
      const buffer = Buffer.allocUnsafeSlow(whole + step)
      const address = BigInt(koffi.address(buffer))
      const at = Number(-address & BigInt(step - 1))
      // Where the system has none to give, or does not know them, nothing changes.
      if (huge) advise(address + BigInt(at), whole, adviceHuge)
      return buffer.subarray(at, at + bytes)
    },
  }
}

function pagesInCache(call: (...args: unknown[]) => unknown, { fd }: FileHandle, size: number): number | undefined {
  const range = BigUint64Array.of(0n, BigInt(size))
  // Pages in the cache, dirty, being written, evicted, lately evicted.
  const counts = new BigUint64Array(5)
  return Number(call(cachestat, fd, range, counts, 0)) === 0 ? Number(counts[0]) : undefined
}
