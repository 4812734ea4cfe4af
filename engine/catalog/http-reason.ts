/** Why a connection failed, in a few words for a person. */
import type { Patience } from './source.ts'

/** The code of the innermost cause that has one: undici wraps what happened in `TypeError: fetch failed`. */
function innermostCode(error: unknown): string | undefined {
  let code: string | undefined
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') code = at.code
    if (at instanceof AggregateError && at.errors[0] instanceof Error) code = innermostCode(at.errors[0]) ?? code
  }
  return code
}

/** Words for a failure of the network; undefined for a failure that is not one (the own disk, a bug). */
export function httpReason(error: unknown, patience: Patience): string | undefined {
  const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`
  if (error instanceof Error && error.name === 'HeadTimeout') return `no answer within ${seconds(patience.head)}`
  const code = innermostCode(error)
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name cannot be resolved'
    case 'ECONNREFUSED':
      return 'connection refused'
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return 'not reachable from this network'
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'the connection was cut'
    case 'UND_ERR_ABORTED':
      return 'the proxy refuses it'
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return `no connection within ${seconds(patience.connect)}`
    case 'UND_ERR_HEADERS_TIMEOUT':
      return `no answer within ${seconds(patience.head)}`
    case 'UND_ERR_BODY_TIMEOUT':
      return `nothing came for ${seconds(patience.idle)}`
    case undefined:
      break
    default:
      if (code.startsWith('UND_ERR_') || code.startsWith('HPE_')) return 'it does not speak HTTP as it should'
      if (/CERT|TLS|SSL|SELF_SIGNED|SIGNATURE/.test(code)) {
        return `its certificate is not trusted (${code}); behind a proxy, set NODE_EXTRA_CA_CERTS to the proxy's certificate`
      }
  }
  // `fetch failed`, `terminated`: undici's two ways to say that the network did it.
  return error instanceof TypeError ? `the request failed${code === undefined ? '' : ` (${code})`}` : undefined
}

/** Whether more patience could have helped. */
export function isSlow(error: unknown): boolean {
  if (error instanceof Error && error.name === 'HeadTimeout') return true
  const code = innermostCode(error)
  return code !== undefined && (/TIMEOUT|ETIMEDOUT/.test(code) || code === 'EAI_AGAIN')
}
