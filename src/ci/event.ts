/** What set a workflow off, read from the payload that GitHub wrote. */
import { readFileSync } from 'node:fs'
import * as z from 'zod'
import { UsageError } from '../usage-error.ts'

/** One event, as far as it matters here. Every text in it was written by somebody else. */
export interface CiEvent {
  readonly name: string
  /** The login that set it off. */
  readonly actor: string
  readonly bot: boolean
  /** `owner/name`. */
  readonly repository: string
  readonly defaultBranch: string
  /** Issue or pull request that it speaks of. */
  readonly number?: number
  readonly isPullRequest: boolean
  /** What was written after the trigger word; undefined where the event is no comment. */
  readonly comment?: string
  readonly title?: string
  readonly body?: string
  /** Of a pull request, where the payload tells. */
  readonly head?: PullHead
  /** Of a push: the branch. */
  readonly branch?: string
}

export interface PullHead {
  readonly ref: string
  readonly sha: string
  /** `owner/name` of the repository that the branch is in; null when it was deleted. */
  readonly repository: string | null
  readonly baseRef: string
}

const user = z.object({ login: z.string(), type: z.string().optional() })
const text = z.string().nullish()
const repository = z.object({ full_name: z.string().regex(/^[\w.-]+\/[\w.-]+$/), default_branch: z.string() })

/** A pull request as the payload and the API both give it. */
export const pullSchema = z.object({
  number: z.number().int(),
  title: text,
  body: text,
  head: z.object({
    ref: z.string(),
    sha: z.string().regex(/^[0-9a-f]{40,64}$/),
    repo: z.object({ full_name: z.string() }).nullish(),
  }),
  base: z.object({ ref: z.string() }),
})

const payload = z.object({
  action: z.string().optional(),
  repository,
  sender: user.optional(),
  ref: z.string().optional(),
  issue: z
    .object({ number: z.number().int(), title: text, body: text, pull_request: z.unknown().optional() })
    .optional(),
  comment: z.object({ body: z.string(), user }).optional(),
  pull_request: pullSchema.optional(),
})

export const headOf = (pull: z.infer<typeof pullSchema>): PullHead => ({
  ref: pull.head.ref,
  sha: pull.head.sha,
  repository: pull.head.repo?.full_name ?? null,
  baseRef: pull.base.ref,
})

/** Reads the payload file of an event. Throws UsageError for one that is none. */
export function readEvent(name: string, file: string): CiEvent {
  let given: unknown
  try {
    given = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`the event payload ${file} cannot be read: ${error instanceof Error ? error.message : error}`)
  }
  const parsed = payload.safeParse(given)
  if (!parsed.success) throw new UsageError(`${file} is no payload that we know: ${z.prettifyError(parsed.error)}`)
  const { action, repository: where, sender, issue, comment, pull_request: pull, ref } = parsed.data
  const by = comment?.user ?? sender
  const number = issue?.number ?? pull?.number
  const title = issue?.title ?? pull?.title ?? undefined
  const body = issue?.body ?? pull?.body ?? undefined
  // An edited comment was not written by whoever edits it, and a deleted one asks for nothing.
  const said = comment !== undefined && (action === undefined || action === 'created') ? comment.body : undefined
  return {
    ...{ name, actor: by?.login ?? '', bot: by?.type === 'Bot' },
    ...{ repository: where.full_name, defaultBranch: where.default_branch },
    isPullRequest: pull !== undefined || issue?.pull_request != null,
    ...(number !== undefined && { number }),
    ...(said !== undefined && { comment: said }),
    ...(title !== undefined && { title }),
    ...(body !== undefined && { body }),
    ...(pull !== undefined && { head: headOf(pull) }),
    ...(ref?.startsWith('refs/heads/') && { branch: ref.slice('refs/heads/'.length) }),
  }
}
