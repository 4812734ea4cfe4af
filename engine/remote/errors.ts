/** What a remote server did wrong, in words for a person, without secrets and without control characters. */
import type { ModelFailure } from '../model.ts'

/** `again`: the same request may succeed in a moment, when nothing of the reply was shown yet. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError'
  readonly failure: ModelFailure
  readonly again: boolean
  /** Milliseconds that the server asked to wait. */
  readonly retryAfterMs: number | undefined
  constructor(failure: ModelFailure, options: { readonly again: boolean; readonly retryAfterMs?: number }) {
    super(failure.message)
    this.failure = failure
    this.again = options.again
    this.retryAfterMs = options.retryAfterMs
  }
}

export interface Place {
  /** The URL that is asked, without query and credentials: what messages name. */
  readonly shown: string
  readonly model: string
  readonly apiKey: string | undefined
  /** The variable that the key was read from, where there is one. */
  readonly apiKeyEnv: string | undefined
}

/** One line of at most 300 characters, without the API key. */
export function sanitise(text: string, { apiKey }: Place): string {
  const hidden = apiKey === undefined || apiKey === '' ? text : text.replaceAll(apiKey, '***')
  const line = hidden.replace(/[\s\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ').trim()
  return line.length > 300 ? `${line.slice(0, 299)}…` : line
}

/** A status other than 2xx. `body` is the beginning of what the server wrote. */
export function statusError(status: number, body: string, headers: Headers, place: Place): RemoteError {
  const said = sanitise(messageIn(body), place)
  const because = said === '' ? '' : `: ${said}`
  const where = `${place.shown} answered ${status}`
  const retryAfterMs = readRetryAfter(headers.get('retry-after'), Date.now())
  const failure = (kind: ModelFailure['kind'], advice: string, retryable = false): ModelFailure => ({
    kind,
    message: `${where}${because}. ${advice}`,
    retryable,
  })
  if (status >= 300 && status < 400) {
    const target = sanitise(headers.get('location') ?? 'elsewhere', place)
    return new RemoteError(failure('refused', `It redirects to ${target}; give that as --base-url if you trust it.`), {
      again: false,
    })
  }
  if (status === 413 || (status === 400 && /context|too (?:many tokens|long)|maximum.{0,20}tokens/i.test(said))) {
    return new RemoteError(failure('context-full', 'Start a new session or name fewer files.'), { again: false })
  }
  if (status === 401 || status === 403) {
    const advice =
      place.apiKeyEnv === undefined
        ? 'Put the API key into a variable and name that one: --api-key-env NAME.'
        : `Check the API key in the variable ${place.apiKeyEnv} (--api-key-env NAME reads another one).`
    return new RemoteError(failure('refused', advice), { again: false })
  }
  if (status === 402) {
    return new RemoteError(failure('refused', 'The account there has to be topped up.'), { again: false })
  }
  if (status === 404) {
    const advice = `Check --model (now "${place.model}") and --base-url (most servers want it to end in /v1).`
    return new RemoteError(failure('refused', advice), { again: false })
  }
  if (status === 429) {
    const when = retryAfterMs === undefined ? 'later' : `in ${duration(retryAfterMs / 1000)}, which it asks for`
    return new RemoteError(failure('refused', `The server limits requests; try again ${when}.`, true), {
      again: true,
      retryAfterMs,
    })
  }
  if (status === 408 || status >= 500) {
    return new RemoteError(failure('unreachable', 'The server is failing; look at its log or try again later.', true), {
      again: status !== 501 && status !== 505,
      retryAfterMs,
    })
  }
  return new RemoteError(failure('refused', 'The server does not accept this request.'), { again: false })
}

/** No answer at all: refused, reset, unknown host, bad certificate. */
export function networkError(error: unknown, place: Place): RemoteError {
  const code = codeOf(error)
  const said = deepest(error)
  const secure = /CERT|SSL|TLS|SELF_SIGNED|INVALID|UNABLE_TO/.test(code)
  const what =
    networkCauses[code] ?? sanitise(secure ? `its certificate is not trusted (${firstPart(said)})` : said, place)
  const message = `${place.shown}: ${what}. ${adviceFor(code, secure)}`
  return new RemoteError(
    { kind: 'unreachable', message, retryable: true },
    { again: code !== 'ENOTFOUND' && !secure && said !== 'bad port' },
  )
}

function adviceFor(code: string, secure: boolean): string {
  if (code === 'ECONNREFUSED') return 'Start the server, or check --base-url.'
  if (code === wrongVersion) return 'Write http:// in --base-url, where the server speaks plain HTTP.'
  if (secure) return 'If it is your own server, name the file of its certificate: NODE_EXTRA_CA_CERTS=FILE cachalot …'
  return 'Check --base-url and the network.'
}

const wrongVersion = 'ERR_SSL_WRONG_VERSION_NUMBER'

/** Without what Node says of its own flags. */
const firstPart = (text: string): string => text.split(/[;\n]/, 1)[0] ?? ''

export function silenceError(seconds: number, place: Place): RemoteError {
  const message = `${place.shown} was silent for ${seconds} s. It may be overloaded or stuck; look at its log, or try again.`
  return new RemoteError({ kind: 'timeout', message, retryable: true }, { again: false })
}

export function webPageError(place: Place): RemoteError {
  const message = `${place.shown} answered with a web page. Check --base-url: most servers want it to end in /v1.`
  return new RemoteError({ kind: 'refused', message, retryable: false }, { again: false })
}

/** Neither JSON nor a stream of events, whatever the status says. */
export function strangeError(type: string, body: string, place: Place): RemoteError {
  const what = `${place.shown} answered with ${type === '' ? 'no content type' : sanitise(type, place)}`
  const said = sanitise(body.slice(0, 80), place)
  const message = `${what}${said === '' ? '' : ` (${said})`} where a chat completion was expected. Check --base-url: most servers want it to end in /v1.`
  return new RemoteError({ kind: 'refused', message, retryable: false }, { again: false })
}

/** The stream ended or broke in the middle. */
export function cutError(what: string, place: Place): RemoteError {
  const message = `${place.shown}: ${what}. Try again; look at the server's log if it happens again.`
  return new RemoteError({ kind: 'bad-reply', message, retryable: true }, { again: true })
}

/** `90 s`, `12 min`, `2 h`: not shorter than it is. */
function duration(seconds: number): string {
  if (seconds <= 120) return `${Math.ceil(seconds)} s`
  return seconds <= 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`
}

/** `Retry-After` in seconds or as a date, in milliseconds from now. */
export function readRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined
  if (/^\s*\d+(?:\.\d+)?\s*$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

const networkCauses: Readonly<Record<string, string>> = {
  [wrongVersion]: 'what answers there does not speak TLS',
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name could not be looked up',
  ETIMEDOUT: 'no connection in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped',
  UND_ERR_SOCKET: 'the connection was closed before the answer was complete',
}

function codeOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code
    if (at instanceof AggregateError && at.errors[0] !== undefined) return codeOf(at.errors[0])
  }
  return ''
}

function deepest(error: unknown): string {
  let at = error
  while (at instanceof Error && at.cause instanceof Error) at = at.cause
  return at instanceof Error ? at.message : String(at)
}

/** The message in an error body: OpenAI's `{error: {message}}`, and what else servers write. */
function messageIn(body: string): string {
  try {
    return messageOf(JSON.parse(body)) ?? body
  } catch {
    // Not JSON: a proxy's page or plain words. Tags say nothing to a person.
    return body.replace(/<(?:style|script)[\s\S]*?<\/(?:style|script)>|<[^>]{0,500}>/gi, ' ').replace(/\s+/g, ' ')
  }
}

/** Also for an error in the middle of a stream. */
export function messageOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return undefined
  for (const key of ['error', 'message', 'detail'] as const) {
    const inner: unknown = Object.entries(value).find(([name]) => name === key)?.[1]
    if (typeof inner === 'string') return inner
    if (typeof inner === 'object' && inner !== null && 'message' in inner && typeof inner.message === 'string')
      return inner.message
  }
  return undefined
}
