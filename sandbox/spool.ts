/** Keeps the whole of a long output on disk, where a later command can search it. */
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { SessionFolder } from './session-folder.ts'

/** Beyond this the rest is dropped. */
const MAX_BYTES = 16 * 1024 * 1024

/** A file in the private /tmp of the session. A class because it lives as long as the command. */
export class Spool {
  readonly #folder: SessionFolder
  readonly #number: number
  #descriptor: number | undefined
  #written = 0
  #failed = false

  constructor(folder: SessionFolder, number: number) {
    this.#folder = folder
    this.#number = number
  }

  /** Where commands find it; undefined when nothing was kept. */
  get path(): string | undefined {
    return this.#written > 0 && !this.#failed ? `/tmp/${this.#name}` : undefined
  }

  get #name(): string {
    return `output-${this.#number}.txt`
  }

  /** Adds bytes. Does not throw: a full disk loses the copy, not the command. */
  push(bytes: Buffer): void {
    const part = bytes.subarray(0, Math.max(0, MAX_BYTES - this.#written))
    if (part.length === 0 || this.#failed) return
    try {
      // A command may have put something there: O_EXCL takes neither a file nor a link of its making.
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
      this.#descriptor ??= openSync(path.join(this.#folder.path, 'tmp', this.#name), flags, 0o600)
      writeSync(this.#descriptor, part)
      this.#written += part.length
    } catch {
      this.#failed = true
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}
