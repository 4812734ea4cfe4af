/** Whether a model fits a machine, told before anything is loaded. */
import { defaultCheckpointBytes } from '../host/protocol.ts'
import type { CatalogEntry, MemoryNeed } from './entry.ts'
import { catalog } from './lookup.ts'
import type { Machine } from './machine.ts'

/** Left for the system and for the commands that the agent runs. */
const reserveBytes = 512 * 1024 * 1024

export interface Fit {
  /**
   * `yes`: in what is free now. `tight`: the machine is large enough, but other programs hold too much of it now, or
   * little is left for anything else. `no`: never.
   */
  readonly verdict: 'yes' | 'tight' | 'no'
  /** Sum of the next three. */
  readonly neededBytes: number
  readonly weightsBytes: number
  readonly kvBytes: number
  readonly computeBytes: number
  readonly totalBytes: number
  readonly availableBytes: number
}

/** Compares what a model needs at a context length (tokens) with what the machine has. */
export function fits(
  machine: Machine,
  model: { readonly bytes: number; readonly memory: MemoryNeed },
  contextTokens: number,
): Fit {
  const weightsBytes = model.bytes
  const checkpointBytes = Math.min(defaultCheckpointBytes, (model.memory.checkpointBytesPerToken ?? 0) * contextTokens)
  const kvBytes = model.memory.kvBytesPerToken * contextTokens + checkpointBytes
  const { computeBytes } = model.memory
  const neededBytes = weightsBytes + kvBytes + computeBytes
  const { totalBytes, availableBytes } = machine
  const verdict =
    neededBytes > totalBytes || model.memory.minimumBytes > totalBytes
      ? 'no'
      : neededBytes + reserveBytes <= availableBytes
        ? 'yes'
        : 'tight'
  return { verdict, neededBytes, weightsBytes, kvBytes, computeBytes, totalBytes, availableBytes }
}

/** One answer to the question which model to start with. */
export interface Choice {
  readonly entry: CatalogEntry
  readonly fit: Fit
}

/** Context that the first question reckons with, in tokens: enough for real work, not the model's utmost. */
export const usualContextTokens = 16_384

/** The models of the catalog with how they fit, in the catalog's order: the default first. */
export function choices(machine: Machine, contextTokens: number = usualContextTokens): Choice[] {
  return catalog.map((entry) => ({
    entry,
    fit: fits(machine, entry, Math.min(contextTokens, entry.contextTokens)),
  }))
}
