/** The second job: it has a token, and neither a model nor code of the repository. It looks at the patch and publishes it. */
import { names, readBounded } from './files.ts'
import type { Verdict } from './gate.ts'
import type { GitHub } from './github.ts'
import { type Pushed, pushPatch } from './push.ts'
import { type CiResult, readResult, summaryOf } from './report.ts'
import { plainMarkdown } from './untrusted.ts'
import type { PatchRules } from './validate.ts'

export type PublishTo = 'pull-request' | 'branch' | 'comment'

export interface PublishRequest {
  /** What the first job left. */
  readonly from: string
  /** As this job found it out by itself. */
  readonly verdict: Verdict
  readonly to: PublishTo
  readonly remote: string
  readonly login: string
  readonly rules: PatchRules
  /** Bytes of the patch. */
  readonly maxBytes: number
  /** Identifies the run in the name of the branch. */
  readonly run: string
  /** GitHub; undefined where push options do the rest (GitLab). */
  readonly github: GitHub | undefined
  readonly say: (text: string) => void
}

const resultBytes = 4 * 1024 * 1024

/** 0: published, or there was nothing to publish. 1: refused, and said why. Rejects when git or the forge fails. */
export async function publish(request: PublishRequest): Promise<number> {
  const { from, verdict, to, github, say } = request
  if (!verdict.allowed) {
    say(`refused: ${verdict.reason}`)
    return 1
  }
  const patch = readBounded(from, names.patch, request.maxBytes)
  const result = readResult(readBounded(from, names.result, resultBytes))
  const tell = async (text: string): Promise<void> => {
    if (github !== undefined && verdict.number !== undefined) await github.comment(verdict.number, text)
  }
  if (patch.trim() === '') {
    say(`nothing to publish: ${plainMarkdown(result.exit)}`)
    await tell(summaryOf({ ...result, patch: '' }))
    return 0
  }
  const push = to !== 'comment' && !verdict.fork
  const title = titleOf(verdict.job, result)
  const pushed = await pushPatch({
    ...{ remote: request.remote, login: request.login, branch: verdict.branch, patch, rules: request.rules, push },
    message: `${title}\n\nMade by a model and looked at by nobody yet.\n\nAssisted-by: Cachalot\n`,
    name: `${verdict.number ?? 'run'}-${request.run.replace(/\W+/g, '').slice(0, 24)}`,
    options: github === undefined && to === 'pull-request' ? mergeOptions(verdict.branch, title) : [],
  })
  return await conclude(pushed, { ...request, verdict, result, title, push, tell })
}

interface Concluding extends PublishRequest {
  readonly verdict: Extract<Verdict, { allowed: true }>
  readonly result: CiResult
  readonly title: string
  readonly push: boolean
  readonly tell: (text: string) => Promise<void>
}

async function conclude(
  pushed: Pushed,
  { result, verdict, to, title, push, github, tell, say }: Concluding,
): Promise<number> {
  if (pushed.kind === 'refused') {
    for (const problem of pushed.problems) say(`refused: ${problem}`)
    const list = pushed.problems.slice(0, 20).map((problem) => `- ${plainMarkdown(problem)}`)
    await tell(`## Cachalot: the patch was refused\n\n${list.join('\n')}\n`)
    return 1
  }
  const body = `${summaryOf(result, pushed.diff)}\n${footer}\n`
  if (!push) {
    await tell(body)
    say('told as a comment')
    return 0
  }
  say(`pushed ${pushed.commit.slice(0, 12)} as ${pushed.branch}`)
  if (to === 'branch' || github === undefined) {
    await tell(`${body}\nBranch: \`${pushed.branch}\`\n`)
    return 0
  }
  const opened = await github.openPull({ title, body, head: pushed.branch, base: verdict.branch })
  say(`opened ${opened.url}`)
  await tell(`Cachalot: ${plainMarkdown(result.exit)}. See pull request #${opened.number}.\n`)
  return 0
}

const footer =
  '---\nWritten by a language model in a job without secrets; size, paths and protected files were checked before this was published. Review it as you would a stranger\u2019s work.'

function titleOf(job: 'fix' | 'run', { check, text }: CiResult): string {
  const about = job === 'fix' ? `Repair: ${check}` : (text.split('\n').find((line) => line.trim() !== '') ?? 'Change')
  const plain = about
    .replace(/[\p{Cc}\p{Cf}@#]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return plain.length > 72 ? `${plain.slice(0, 71)}…` : plain
}

/** GitLab opens a merge request for what is pushed with these (https://docs.gitlab.com/topics/git/commit/). */
const mergeOptions = (target: string, title: string): string[] => [
  'merge_request.create',
  `merge_request.target=${target}`,
  `merge_request.title=${title}`,
  'merge_request.remove_source_branch',
]
