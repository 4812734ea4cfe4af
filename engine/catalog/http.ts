/** A file from a web server: whole, or from where an earlier attempt stopped (RFC 9110, section 14: range requests). */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { Agent, type Dispatcher, EnvHttpProxyAgent, fetch, type Response } from 'undici'
import { httpReason, isSlow } from './http-reason.ts'
import type { PartFile } from './part-file.ts'
import {
  type FetchContext,
  type FetchFile,
  type FetchOutcome,
  type FileKind,
  gguf,
  type Patience,
  patient,
} from './source.ts'

/** Breaks in a row without a new byte, and breaks in all, before a server is given up. */
const breaksInVain = 5
const breaksInAll = 500

/**
 * Gets a file by HTTP. Honours HTTPS_PROXY, HTTP_PROXY and NO_PROXY. A server that breaks off in the middle is asked
 * again for the rest; one that refuses before the first byte is not.
 */
export function fromUrl(url: string, kind: FileKind = gguf): FetchFile {
  return async (part, context) => {
    let patience = context.patience
    let breaks = 0
    for (let tries = 1; ; tries += 1) {
      const before = part.bytes
      const outcome = await attempt(url, kind, part, { ...context, patience })
      if (outcome.type !== 'failed' || !outcome.again || tries > breaksInAll) return outcome
      if (part.bytes !== before) {
        breaks = 0
        // It has shown that it can; from here on it is worth waiting for.
        patience = patient
      } else if (patience !== patient || breaks >= breaksInVain) {
        return outcome
      }
      breaks += 1
      const seconds = Math.max(outcome.retryAfter ?? 0, (context.pause / 1000) * 2 ** (breaks - 1))
      context.onRetry(outcome.reason, seconds)
      await wait(seconds * 1000, undefined, { signal: context.signal })
    }
  }
}

type AttemptOutcome =
  | Exclude<FetchOutcome, { type: 'failed' }>
  | (Extract<FetchOutcome, { type: 'failed' }> & { again: boolean; retryAfter?: number })

const wrong = (reason: string): AttemptOutcome => ({ type: 'wrong', reason })
const refused = (reason: string): AttemptOutcome => ({ type: 'failed', reason, slow: false, again: false })

async function attempt(url: string, kind: FileKind, part: PartFile, context: FetchContext): Promise<AttemptOutcome> {
  const tag = new ResumeTag(part.path, context.bytes === undefined)
  const known = await tag.read(url)
  // A file whose digest nobody knows is taken up again only where the server can vouch that it is still the same.
  if (context.bytes === undefined && part.bytes > 0 && known === undefined) await part.clear()
  if (context.bytes !== undefined && part.bytes === context.bytes) return { type: 'whole' }

  const dispatcher = agentFor(context.patience)
  const head = new AbortController()
  const timer = setTimeout(() => head.abort(new HeadTimeout()), context.patience.head)
  try {
    const response = await fetch(url, {
      dispatcher,
      signal: AbortSignal.any([context.signal, head.signal]),
      headers: {
        'accept-encoding': 'identity',
        ...(part.bytes > 0 ? { range: `bytes=${part.bytes}-` } : {}),
        ...(part.bytes > 0 && known !== undefined ? { 'if-range': known } : {}),
      },
    })
    clearTimeout(timer)
    const plan = await readHead(response, part, context, known)
    if ('type' in plan) {
      await response.body?.cancel()
      return plan
    }
    await tag.write(url, response.headers.get('etag'))
    return await readBody(response, kind, part, context, plan)
  } catch (error) {
    context.signal.throwIfAborted()
    const cause = head.signal.aborted ? head.signal.reason : error
    const reason = httpReason(cause, context.patience)
    if (reason === undefined) throw error
    return { type: 'failed', reason, slow: isSlow(cause), again: true }
  } finally {
    clearTimeout(timer)
    // Not close(): a body that is still coming would be waited for.
    await dispatcher.destroy()
  }
}

class HeadTimeout extends Error {
  override readonly name = 'HeadTimeout'
}

function agentFor(patience: Patience): Dispatcher {
  const options = { connect: { timeout: patience.connect }, headersTimeout: patience.head, bodyTimeout: patience.idle }
  const names = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY']
  return names.some((name) => process.env[name]) ? new EnvHttpProxyAgent(options) : new Agent(options)
}

/** What the body that follows is: bytes to drop at its beginning, and the size of the whole file. */
interface BodyPlan {
  readonly skip: number
  readonly total: number | undefined
}

async function readHead(
  response: Response,
  part: PartFile,
  context: FetchContext,
  known: string | undefined,
): Promise<BodyPlan | AttemptOutcome> {
  const { status, headers } = response
  if (status === 416) return await settleUnsatisfiable(headers.get('content-range'), part, context)
  if (status === 429 || status >= 500) {
    const retryAfter = Math.min(Number(headers.get('retry-after')) || 0, 30)
    return { type: 'failed', reason: `answered ${status}`, slow: true, again: true, retryAfter }
  }
  if (status === 401 || status === 403) return refused(`answered ${status}: not allowed without an account`)
  if (status !== 200 && status !== 206) return refused(`answered ${status}`)
  if (headers.get('content-type')?.startsWith('text/html')) {
    return refused('sent a web page instead of the file (a login or proxy page?)')
  }
  if (status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '')
    if (range === null || Number(range[1]) !== part.bytes) return refused('answered with another range than asked for')
    const total = range[2] === '*' ? undefined : Number(range[2])
    return agree(total, context) ?? { skip: 0, total: context.bytes ?? total }
  }
  const length = headers.get('content-length')
  const total = length === null ? undefined : Number(length)
  const problem = agree(total, context)
  if (problem !== undefined) return problem
  if (context.bytes === undefined && part.bytes > 0 && (known === undefined || headers.get('etag') !== known)) {
    await part.clear()
  }
  // The server ignored the range: what is here already is read past, so that a break loses nothing.
  return { skip: part.bytes, total: context.bytes ?? total }
}

function agree(total: number | undefined, context: FetchContext): AttemptOutcome | undefined {
  if (total === undefined || context.bytes === undefined || total === context.bytes) return undefined
  return wrong(`has a file of ${total} bytes instead of ${context.bytes}`)
}

/** 416: the server's file ends at or before what is here. */
async function settleUnsatisfiable(
  range: string | null,
  part: PartFile,
  context: FetchContext,
): Promise<AttemptOutcome> {
  const total = Number(/^bytes \*\/(\d+)$/.exec(range ?? '')?.[1] ?? Number.NaN)
  if (context.bytes !== undefined) return wrong(`has a file of other than ${context.bytes} bytes`)
  if (total === part.bytes) return { type: 'whole' }
  if (part.bytes === 0) return refused('answered 416')
  await part.clear()
  return { type: 'failed', reason: 'has another file now', slow: false, again: true }
}

async function readBody(
  response: Response,
  kind: FileKind,
  part: PartFile,
  context: FetchContext,
  plan: BodyPlan,
): Promise<AttemptOutcome> {
  let { skip } = plan
  let start = Buffer.alloc(0)
  for await (const chunk of response.body ?? []) {
    context.signal.throwIfAborted()
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const dropped = Math.min(skip, bytes.length)
    skip -= dropped
    bytes = bytes.subarray(dropped)
    if (part.bytes === 0) {
      bytes = Buffer.concat([start, bytes])
      if (bytes.length < kind.magic.length) {
        start = bytes
        continue
      }
      if (!bytes.subarray(0, kind.magic.length).equals(kind.magic))
        return wrong(`sent something that is no ${kind.title}`)
    }
    if (plan.total !== undefined && part.bytes + bytes.length > plan.total) {
      return wrong(`sent more than the ${plan.total} bytes of the file`)
    }
    await part.append(bytes)
    context.onBytes(part.bytes, plan.total)
  }
  if (part.bytes === 0) return refused('sent nothing')
  if (plan.total === undefined || part.bytes === plan.total) return { type: 'whole' }
  return { type: 'failed', reason: 'broke off', slow: false, again: true }
}

/** Beside a part file of unknown digest: the server's tag for the version that the bytes are of. */
class ResumeTag {
  readonly #path: string
  readonly #needed: boolean

  constructor(partPath: string, needed: boolean) {
    this.#path = `${partPath}.tag`
    this.#needed = needed
  }

  /** The tag of the bytes that are here, if they came from this address and the tag is a strong one. */
  async read(url: string): Promise<string | undefined> {
    if (!this.#needed) return undefined
    // No tag file, or an unreadable one: the bytes cannot be vouched for.
    const text = await readFile(this.#path, 'utf8').catch(() => '')
    const [of, tag] = text.split('\n')
    return of === url && tag !== undefined && tag.startsWith('"') ? tag : undefined
  }

  async write(url: string, tag: string | null): Promise<void> {
    if (!this.#needed) return
    if (tag?.startsWith('"')) await writeFile(this.#path, `${url}\n${tag}\n`)
    else await rm(this.#path, { force: true })
  }
}
