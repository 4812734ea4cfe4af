/** `cachalot ci gate | work | publish`: the three steps of a job that nobody watches. */
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { exitCode } from '../../agent/index.ts'
import { type CheatKind, cheatKinds } from '../fix/cheat-patterns.ts'
import { OpenError } from '../open/open-error.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { UsageError } from '../usage-error.ts'
import { readEvent } from './event.ts'
import { writeTask } from './files.ts'
import { gate, type Verdict } from './gate.ts'
import { GitHubError, openGitHub } from './github.ts'
import { gitLabVerdict } from './gitlab.ts'
import { publish } from './publish.ts'
import { setOutputs } from './runner.ts'
import { type WorkFlags, work } from './work.ts'

export interface GateFlags {
  readonly out: string
  readonly trigger: string
  readonly allowForks?: boolean
}

export interface PublishFlags {
  readonly from: string
  readonly to: string
  readonly trigger: string
  readonly allowForks?: boolean
  readonly check?: string
  readonly allow: readonly string[]
  readonly protect: readonly string[]
  readonly remote?: string
  readonly maxFiles: string
  readonly maxLines: string
  readonly maxBytes: string
}

const environment = process.env

/** 0 whether it is allowed or not: the output `allowed` says which. 1 when GitHub cannot be asked. */
export const gateCommand = (flags: GateFlags): Promise<number> =>
  told(async () => {
    const verdict = await judged(flags)
    say(`${verdict.allowed ? 'allowed' : 'not allowed'}: ${verdict.reason}`)
    if (verdict.allowed) {
      mkdirSync(resolve(flags.out), { recursive: true })
      writeTask(resolve(flags.out), { job: verdict.job, task: verdict.task, base: '' })
      setOutputs({ branch: verdict.branch, base: verdict.base, job: verdict.job })
      setOutputs({
        ref: verdict.number !== undefined && verdict.fork ? `refs/pull/${verdict.number}/head` : verdict.branch,
      })
    }
    setOutputs({ allowed: String(verdict.allowed), reason: verdict.reason })
    return 0
  })

export const workCommand = (flags: WorkFlags, words: readonly string[]): Promise<number> =>
  told(() => work(flags, words))

export const publishCommand = (flags: PublishFlags): Promise<number> =>
  told(async () => {
    const to = (['pull-request', 'branch', 'comment'] as const).find((each) => each === flags.to)
    if (to === undefined) throw new UsageError(`--to: must be pull-request, branch or comment (it is ${flags.to})`)
    return await publish({ ...(onGitLab() ? fromGitLab() : await fromGitHub(flags)), ...limitsOf(flags), to, say })
  })

const onGitLab = (): boolean => environment['GITLAB_CI'] === 'true'

async function fromGitHub(
  flags: PublishFlags,
): Promise<Pick<Parameters<typeof publish>[0], 'verdict' | 'github' | 'remote' | 'login' | 'run'>> {
  const github = gitHub()
  const server = environment['GITHUB_SERVER_URL'] ?? 'https://github.com'
  const token = environment['GITHUB_TOKEN'] ?? ''
  return {
    ...{ verdict: await judged(flags), github, run: environment['GITHUB_RUN_ID'] ?? '0' },
    remote: flags.remote ?? `${server}/${environment['GITHUB_REPOSITORY'] ?? ''}.git`,
    login: token === '' ? '' : `x-access-token:${token}`,
  }
}

function fromGitLab(): Awaited<ReturnType<typeof fromGitHub>> {
  const token = environment['CACHALOT_TOKEN'] ?? ''
  const remote = environment['CACHALOT_REMOTE'] ?? `${environment['CI_PROJECT_URL'] ?? ''}.git`
  const login = token === '' ? '' : `oauth2:${token}`
  return {
    verdict: gitLabVerdict(environment),
    github: undefined,
    remote,
    login,
    run: environment['CI_PIPELINE_ID'] ?? '0',
  }
}

const gitHub = () =>
  openGitHub({
    apiUrl: environment['GITHUB_API_URL'] ?? 'https://api.github.com',
    repository: environment['GITHUB_REPOSITORY'] ?? '',
    token: environment['GITHUB_TOKEN'] ?? '',
  })

async function judged({ trigger, allowForks }: Pick<GateFlags, 'trigger' | 'allowForks'>): Promise<Verdict> {
  const name = environment['GITHUB_EVENT_NAME']
  const file = environment['GITHUB_EVENT_PATH']
  if (name === undefined || file === undefined) {
    throw new UsageError('GITHUB_EVENT_NAME and GITHUB_EVENT_PATH are not set: this runs in a GitHub workflow')
  }
  const event = readEvent(name, file)
  if (event.repository !== environment['GITHUB_REPOSITORY']) {
    return {
      allowed: false,
      reason: `the event is of ${event.repository}, the workflow of ${environment['GITHUB_REPOSITORY']}`,
    }
  }
  return await gate(event, { trigger, allowForks: allowForks === true }, gitHub())
}

function limitsOf(flags: PublishFlags): Pick<Parameters<typeof publish>[0], 'from' | 'rules' | 'maxBytes'> {
  const number = (name: string, given: string): number => {
    const value = Number(given)
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`${name}: must be a whole number of at least 1 (it is ${given})`)
    return value
  }
  const kinds = flags.allow
    .flatMap((words) => words.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '')
  const wrong = kinds.find((kind) => !cheatKinds.some((each) => each === kind))
  if (wrong !== undefined) throw new UsageError(`--allow: "${wrong}" is none of ${cheatKinds.join(', ')}`)
  return {
    from: resolve(flags.from),
    maxBytes: number('--max-bytes', flags.maxBytes),
    rules: {
      maxFiles: number('--max-files', flags.maxFiles),
      maxLines: number('--max-lines', flags.maxLines),
      allowed: new Set(kinds as CheatKind[]),
      check: flags.check ?? '',
      protect: flags.protect,
    },
  }
}

function say(text: string): void {
  process.stdout.write(`${sanitizeLine(text)}\n`)
}

/** Faults are said in a line, with the exit code that fits. */
async function told(run: () => Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof UsageError) throw error
    const text = error instanceof Error ? error.message : String(error)
    process.stderr.write(`cachalot: ${text.split('\n').map(sanitizeLine).join('\n')}\n`)
    if (error instanceof OpenError) return exitCode[error.exit]
    return error instanceof GitHubError ? exitCode.model : exitCode['not-done']
  }
}
