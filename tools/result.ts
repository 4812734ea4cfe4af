/** What tools give back, and how failures become results. */
import { createHash } from 'node:crypto'
import { WorkspaceError } from '../sandbox/index.ts'
import { EncodingError } from './text/encoding.ts'
import type { ToolFailureReason, ToolResult } from './types.ts'

/** A failed call. `content` tells the model what happened and what to do next. */
export function failure(reason: ToolFailureReason, content: string): ToolResult {
  return { ok: false, content, details: { kind: 'failure', reason } }
}

/** Thrown inside a tool where it cannot go on; `settle` makes it a result. */
export class ToolProblem extends Error {
  override readonly name = 'ToolProblem'
  readonly reason: ToolFailureReason
  constructor(reason: ToolFailureReason, message: string) {
    super(message)
    this.reason = reason
  }
}

const reasons: Readonly<Record<WorkspaceError['kind'], ToolFailureReason>> = {
  outside: 'outside',
  'not-found': 'not-found',
  'not-a-file': 'not-a-file',
  protected: 'denied',
  'too-large': 'too-large',
  link: 'not-a-file',
  exists: 'exists',
  io: 'io',
}

/** Runs a tool's work. What the model or the world did wrong becomes a result; a mistake of ours stays an exception. */
export async function settle(signal: AbortSignal, work: () => Promise<ToolResult>): Promise<ToolResult> {
  try {
    signal.throwIfAborted()
    return await work()
  } catch (error) {
    if (signal.aborted) return failure('aborted', 'Stopped before it was done.')
    if (error instanceof ToolProblem) return failure(error.reason, error.message)
    if (error instanceof WorkspaceError) return failure(reasons[error.kind], error.message)
    if (error instanceof EncodingError) return failure('bad-arguments', error.message)
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return failure('io', error.message)
    throw error
  }
}

/** How long a result may be: `usual`, or less where the context is small. Never too little to say anything. */
export const charLimit = ({ maxChars = usualLimit }: { readonly maxChars?: number }, usual: number): number =>
  Math.max(500, Math.min(usual, maxChars))

const usualLimit = Number.POSITIVE_INFINITY

/** What `ToolContext.seen` keeps of a file: enough to know whether it changed. */
export const fingerprint = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('base64url')

/** Bytes for people: 900 bytes, 12.3 KB, 4.0 MB. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`
}
