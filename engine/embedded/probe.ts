/** Asks an engine host of its own about the machine: what computes, and how fast memory is read. */
import { availableParallelism } from 'node:os'
import type { Device, Operation } from '../host/protocol.ts'
import { HostProcess } from './host-process.ts'

export type { Device } from '../host/protocol.ts'

/** The devices that the engine's library finds. Rejects with EngineError where the library is missing. */
export const listDevices = (): Promise<readonly Device[]> => asked({ op: 'devices' })

/**
 * Bytes a second that this machine reads from memory with all its cores: what bounds the speed of decoding.
 * @param seconds how long to read; with less than one other programs' work shows too much
 */
export async function measureBandwidth(seconds = 3): Promise<number> {
  // The host's worker threads are four.
  const threads = Math.min(4, availableParallelism())
  return (await asked({ op: 'bandwidth', ms: seconds * 1000, threads })).bytesPerSecond
}

async function asked<O extends Operation>(operation: O) {
  const host = await HostProcess.start(() => undefined)
  try {
    return await host.request(operation)
  } finally {
    await host.kill()
  }
}
