/** One request and the chunks of its answer. */
import { createParser } from 'eventsource-parser'
import {
  cutError,
  messageOf,
  networkError,
  type Place,
  RemoteError,
  sanitise,
  silenceError,
  statusError,
  strangeError,
  webPageError,
} from './errors.ts'
import { type Chunk, chunkSchema } from './wire.ts'

export interface Exchange {
  readonly url: string
  readonly place: Place
  readonly body: string
  readonly signal: AbortSignal
  /** Silence after which the server counts as dead. */
  readonly idleSeconds: number
}

/** A reply is text for one turn; more than this is no reply. */
const mostBytes = 64 * 1024 * 1024
const mostErrorBytes = 64 * 1024

/**
 * Asks and yields the chunks as they come, whether the server streams or answers whole. Returns when the reply is
 * complete (`[DONE]`, or a finish reason and the end). Throws RemoteError, or the signal's reason.
 */
export async function* exchange({ url, place, body, signal, idleSeconds }: Exchange): AsyncGenerator<Chunk> {
  const idle = new AbortController()
  const leave = new AbortController()
  let timer = setTimeout(() => idle.abort(), idleSeconds * 1000)
  const alive = () => {
    clearTimeout(timer)
    timer = setTimeout(() => idle.abort(), idleSeconds * 1000)
  }
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream, application/json',
        ...(place.apiKey === undefined ? {} : { authorization: `Bearer ${place.apiKey}` }),
      },
      body,
      // What is sent goes to the configured place and to no other.
      redirect: 'manual',
      signal: AbortSignal.any([signal, idle.signal, leave.signal]),
    })
    alive()
    if (!response.ok) {
      throw statusError(response.status, await readText(response, mostErrorBytes, alive), response.headers, place)
    }
    const type = response.headers.get('content-type') ?? ''
    if (type.includes('text/html')) throw webPageError(place)
    if (type.includes('application/json')) {
      const chunk = readChunk(await readText(response, mostBytes, alive), place)
      if ((chunk.choices ?? []).length === 0) throw cutError('the answer holds no reply', place)
      yield chunk
    } else yield* stream(response, type, place, alive)
  } catch (error) {
    if (error instanceof RemoteError) throw error
    signal.throwIfAborted()
    if (idle.signal.aborted) throw silenceError(idleSeconds, place)
    throw networkError(error, place)
  } finally {
    clearTimeout(timer)
    leave.abort()
  }
}

async function* stream(response: Response, type: string, place: Place, alive: () => void): AsyncGenerator<Chunk> {
  let beginning = ''
  let read = 0
  const events: string[] = []
  const parser = createParser({ onEvent: (event) => events.push(event.data) })
  let finished = false
  for await (const text of textOf(response, mostBytes)) {
    alive()
    if (read === 0 && beginning.length < 200) beginning += text
    parser.feed(text)
    for (const data of events.splice(0)) {
      read += 1
      if (data.trim() === '[DONE]') return
      const chunk = readChunk(data, place)
      finished ||= chunk.choices?.some((choice) => choice.finish_reason != null) ?? false
      yield chunk
    }
  }
  if (read === 0 && !type.includes('event-stream') && beginning.trim() !== '')
    throw strangeError(type, beginning, place)
  // Without the end marker a finish reason is the proof that nothing is missing.
  if (!finished) throw cutError('the answer broke off', place)
}

function readChunk(data: string, place: Place): Chunk {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    // The parser's words are about positions in the server's text; the text itself says more.
    throw cutError(`the answer is not JSON (${sanitise(data.slice(0, 80), place)})`, place)
  }
  const chunk = chunkSchema.safeParse(value)
  if (!chunk.success) throw cutError(`the answer is no chat completion (${sanitise(data.slice(0, 80), place)})`, place)
  if (chunk.data.error != null) {
    const said = sanitise(messageOf(value) ?? JSON.stringify(chunk.data.error), place)
    throw cutError(`the server reports an error: ${said}`, place)
  }
  return chunk.data
}

async function readText(response: Response, most: number, alive: () => void): Promise<string> {
  let text = ''
  for await (const part of textOf(response, most)) {
    alive()
    text += part
  }
  return text
}

/** The body as text, at most `most` bytes of it. */
async function* textOf(response: Response, most: number): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.byteLength
    if (bytes > most) return
    yield decoder.decode(part, { stream: true })
  }
  yield decoder.decode()
}
