/** One answer as server-sent events. The status is sent with the first of them: until then an error is a plain one. */
import type { ServerResponse } from 'node:http'
import type { ApiError } from './api-error.ts'
import type { Answer, AnswerEvent, Protocol, ReplyWriter, ServerSentEvent } from './model-request.ts'

export interface Stream {
  readonly begun: boolean
  event(event: AnswerEvent): void
  end(answer: Answer): void
  fail(error: ApiError): void
}

/** Milliseconds of silence before a ping: half of what proxies and clients usually bear. */
const pingMs = 10_000

export function openStream(response: ServerResponse, protocol: Protocol, writer: ReplyWriter): Stream {
  let begun = false
  let pinging: NodeJS.Timeout | undefined

  // Not awaited: a reply is small, and a slow reader must not hold up the engine.
  const send = (events: readonly ServerSentEvent[]): void => {
    for (const { event, data } of events) {
      response.write(`${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`)
    }
    if (events.length > 0) pinging?.refresh()
  }
  function begin(): void {
    if (begun) return
    begun = true
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
    pinging = setInterval(() => response.write(protocol.ping), pingMs)
    send(writer.begin())
  }
  function over(): void {
    clearInterval(pinging)
    response.end()
  }
  response.on('close', () => clearInterval(pinging))

  return {
    get begun() {
      return begun
    },
    event(event) {
      begin()
      send(writer.event(event))
    },
    end(answer) {
      begin()
      send(writer.end(answer))
      over()
    },
    fail(error) {
      send([protocol.errorEvent(error)])
      over()
    },
  }
}
