/**
 * The byte that stops a running batch: the library asks for it between two pieces of its work. It lies in a file that the
 * client has open, too, where the client gave one, so that an abort needs no turn of this process: long steps can run on
 * the main thread and still be stopped within them.
 */
import { fstatSync } from 'node:fs'
import koffi from 'koffi'
import { libc } from './library.ts'
import { stopBytes, stopDescriptor } from './protocol.ts'

export interface StopFlag {
  /** Where the library reads it (by strlen: non-empty is true). */
  readonly address: bigint
  /** Whether the client can raise it, too. */
  readonly isShared: boolean
  raise(): void
  lower(): void
}

/** @param shared false: nobody but this process is to stop a batch, as its half could not be taken off again */
export function openStopFlag(shared: boolean): StopFlag {
  const page = shared ? mapped() : undefined
  const bytes = page?.bytes ?? new Uint8Array(stopBytes)
  return {
    address: page?.address ?? koffi.address(bytes),
    isShared: page !== undefined,
    raise: () => {
      bytes[0] = 1
    },
    lower: () => {
      bytes[0] = 0
    },
  }
}

const readWrite = 3
const mapShared = 1

/** The client's file in our memory: PROT_READ | PROT_WRITE and MAP_SHARED are the same on Linux and macOS. */
function mapped(): { readonly address: bigint; readonly bytes: Uint8Array } | undefined {
  if (process.platform === 'win32') return undefined
  try {
    const file = fstatSync(stopDescriptor)
    if (!file.isFile() || file.size !== stopBytes) return undefined
  } catch {
    return undefined // The client gave none.
  }
  const map = koffi
    .load(libc())
    .func('void *mmap(void *address, size_t bytes, int protection, int flags, int descriptor, int64_t offset)')
  const found = map(null, stopBytes, readWrite, mapShared, stopDescriptor, 0)
  const address = koffi.address(found)
  // MAP_FAILED
  if (address === 0n || address === 0xffff_ffff_ffff_ffffn || address === -1n) return undefined
  return { address, bytes: new Uint8Array(koffi.view(found, stopBytes)) }
}
