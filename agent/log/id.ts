/** Names of sessions. */
import { randomBytes } from 'node:crypto'

/** Crockford's base 32, lower case: no letter that reads as a digit, and sorted as ASCII sorts it. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * An id that sorts by time and cannot be guessed or met twice: 10 characters of milliseconds since the epoch, then 16
 * random ones (80 bits), as a ULID (github.com/ulid/spec) in lower case.
 */
export function newId(nowMs: number, random: Uint8Array = randomBytes(16)): string {
  let time = ''
  for (let rest = Math.floor(nowMs), i = 0; i < 10; i += 1, rest = Math.floor(rest / 32)) {
    time = alphabet[rest % 32]! + time
  }
  return time + Array.from(random, (byte) => alphabet[byte % 32]!).join('')
}
