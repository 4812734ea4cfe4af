/** The body of a request, within bounds. */
import type { IncomingMessage } from 'node:http'
import { ApiError, invalid } from './api-error.ts'

/** A megabyte is about 300,000 tokens, more than any context that runs here. */
export const mostBodyBytes = 16 * 1024 * 1024

/** The body as JSON. Throws ApiError when it is none or too large; then the rest of it is not read. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const tooLarge = new ApiError(413, 'request_too_large', `a request may have ${mostBodyBytes / 1024 / 1024} MiB`)
  if (Number(request.headers['content-length'] ?? 0) > mostBodyBytes) throw tooLarge
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > mostBodyBytes) throw tooLarge
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw invalid('the body is not JSON')
  }
}
