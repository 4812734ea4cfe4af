/** Who may ask: whoever has the token, and no page in a browser. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { ApiError } from './api-error.ts'

const loopback = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i

/** Throws ApiError. */
export function admit({ headers }: IncomingMessage, token: string): void {
  // A name that was made to point here (DNS rebinding), or a page that tries ports of this machine.
  if (!loopback.test(headers.host ?? '') || headers.origin !== undefined) {
    throw new ApiError(403, 'authentication_error', 'only programs of this machine may ask, by http://127.0.0.1')
  }
  const key = headers['x-api-key']
  const bearer = /^Bearer\s+(.+)$/i.exec(headers.authorization ?? '')?.[1]
  const given = bearer ?? (typeof key === 'string' ? key : undefined)
  if (given !== undefined && timingSafeEqual(digest(given.trim()), digest(token))) return
  const text =
    given === undefined
      ? 'no token: send the one that cachalot serve printed as the API key (Authorization: Bearer …, or x-api-key)'
      : 'wrong token: send the one that cachalot serve printed as the API key'
  throw new ApiError(401, 'authentication_error', text)
}

/** Of one length, whatever was sent. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
