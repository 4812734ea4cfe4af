/** The client's side of the byte that stops a running batch (see engine/host/protocol.ts). */
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stopBytes } from '../host/protocol.ts'

export interface StopFile {
  /** To be handed to the host; undefined where no file could be made: the host hears of aborts by messages only then. */
  readonly descriptor: number | undefined
  /** Stops the batch that the host evaluates now. */
  raise(): void
  close(): void
}

/** A file without a name, so that nothing is left behind however we end. */
export function makeStopFile(folder = tmpdir()): StopFile {
  let descriptor = create(folder)
  return {
    descriptor,
    raise() {
      try {
        if (descriptor !== undefined) writeSync(descriptor, Uint8Array.of(1), 0, 1, 0)
      } catch {
        // A disk without room for the byte: the message that was sent before stops it a step later.
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor)
      descriptor = undefined
    },
  }
}

function create(folder: string): number | undefined {
  if (process.platform === 'win32') return undefined
  const path = join(folder, `cachalot-stop-${randomUUID()}`)
  try {
    const descriptor = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
    writeSync(descriptor, new Uint8Array(stopBytes))
    return descriptor
  } catch {
    return undefined // No room for temporary files: an abort waits for the step then, and everything else works.
  }
}
