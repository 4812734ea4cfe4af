/** A request that gets an error and not an answer. `message` is for the person whose tool asked, and names the fix. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly kind: ApiErrorKind
  /** Seconds after which asking again can help. */
  readonly retryAfter: number | undefined
  constructor(status: number, kind: ApiErrorKind, message: string, retryAfter?: number) {
    super(message)
    this.status = status
    this.kind = kind
    this.retryAfter = retryAfter
  }
}

/** OpenAI's names; Anthropic's follow from them, see `anthropicKinds`. */
export type ApiErrorKind =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'not_found_error'
  | 'request_too_large'
  | 'context_length_exceeded'
  | 'rate_limit_error'
  | 'server_error'

/** What cannot be asked for here. */
export const invalid = (message: string): ApiError => new ApiError(400, 'invalid_request_error', message)

/** The body that an OpenAI client expects with an error status, or inside of a stream. */
export function openaiError({ kind, message }: ApiError): object {
  const code = kind === 'context_length_exceeded' || kind === 'authentication_error' ? kind : null
  return { error: { message, type: code === null ? kind : 'invalid_request_error', param: null, code } }
}

const anthropicKinds: Readonly<Record<ApiErrorKind, string>> = {
  invalid_request_error: 'invalid_request_error',
  authentication_error: 'authentication_error',
  not_found_error: 'not_found_error',
  request_too_large: 'request_too_large',
  context_length_exceeded: 'invalid_request_error',
  rate_limit_error: 'rate_limit_error',
  server_error: 'api_error',
}

/** The same for an Anthropic client. */
export function anthropicError({ kind, message }: ApiError): object {
  return { type: 'error', error: { type: anthropicKinds[kind], message } }
}
