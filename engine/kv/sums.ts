/**
 * Sums that tell whether bytes are still what was written: GMAC (AES-128-GCM over nothing but authenticated data), five times
 * as fast on one core as SHA-256 and so no brake on a disk. Its key is drawn for each file and stands in it: damage, which
 * knows nothing of the key, is missed with a chance below 2^-100, whatever it looks like (NIST SP 800-38D). It does not
 * tell who wrote a file; a plain digest beside its data would not either.
 */
import { createCipheriv, randomBytes } from 'node:crypto'

const sumBytes = 16

export const drawSumKey = (): string => randomBytes(16).toString('hex')

/** Hex digits of a sum. */
export const sumDigits = 2 * sumBytes

/** The sum of one piece, hex. `at`: which piece of the file it is; the same bytes have another sum elsewhere. */
export function sumOf(key: string, at: number, piece: Uint8Array): string {
  const nonce = Buffer.alloc(12)
  nonce.writeUInt32LE(at)
  const cipher = createCipheriv('aes-128-gcm', Buffer.from(key, 'hex'), nonce, { authTagLength: sumBytes })
  cipher.setAAD(piece)
  cipher.final()
  return cipher.getAuthTag().toString('hex')
}
