/** The first job: no secrets, no network; the model works on the code, and leaves a patch and a report. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { OpenError } from '../open/open-error.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { UsageError } from '../usage-error.ts'
import { workTree } from '../work-tree.ts'
import { putBack, takeFromBase } from './base-files.ts'
import { type CiTask, names, readTaskFile } from './files.ts'
import { offlineWords } from './offline.ts'
import { type CiResult, ciResult, summaryOf } from './report.ts'
import { addSummary, annotation, setOutputs, unheard } from './runner.ts'

export interface WorkFlags {
  readonly cwd?: string
  /** Where patch and report go; `task.json` of the gate is read there, when there is one. */
  readonly out: string
  readonly check?: string
  /** The commit whose instruction and config files count. */
  readonly base?: string
  readonly network: string
  readonly allow: readonly string[]
}

/** Variables that the work may have: nothing of the runner's, and no tokens. */
const passed = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TERM|XDG_\w+|CACHALOT_\w+|NODE_EXTRA_CA_CERTS)$/
const secret = /TOKEN|SECRET|PASSWORD|_KEY$/

/** Runs `fix` or `run` as the gate says and gives its exit code. `words` are further flags for it. */
export async function work(flags: WorkFlags, words: readonly string[]): Promise<number> {
  const cwd = workTree(flags.cwd)
  const out = resolve(flags.out)
  mkdirSync(out, { recursive: true })
  const task = taskOf(out, flags)
  if (task.job === 'fix' && flags.check === undefined)
    throw new UsageError('no check given. Run: cachalot ci work --check "npm test"')
  const environment = environmentOf(process.env)
  const patchFile = join(out, names.patch)
  rmSync(patchFile, { force: true })
  const program = [process.execPath, process.argv[1] ?? '', ...wordsOf(task, flags, patchFile), ...words]
  const [first = '', ...rest] = flags.network === 'keep' ? program : [...offlineWords(environment), ...program]
  const taken = task.base !== ''
  if (taken) {
    const there = await takeFromBase(cwd, task.base)
    process.stdout.write(`instruction and config files from ${task.base}: ${there.join(', ') || 'none there'}\n`)
  }
  const quiet = unheard()
  process.stdout.write(`${quiet.begin}\n`)
  let result: CiResult
  try {
    // The task goes by stdin: none of its words is taken for a flag or a file.
    const input = task.job === 'run' ? task.task : ''
    result = ciResult(await lastEvent(first, rest, { cwd, env: environment, input }), flags.check ?? '')
    if (task.job === 'run') result = { ...result, patch: result.exit === 'done' ? textOf(patchFile) : '' }
  } finally {
    process.stdout.write(`${quiet.end}\n`)
    if (taken) await putBack(cwd)
  }
  writeFileSync(patchFile, result.patch)
  writeFileSync(join(out, names.result), JSON.stringify(result))
  const summary = summaryOf(result)
  writeFileSync(join(out, names.report), summary)
  addSummary(summary)
  for (const place of result.places)
    process.stdout.write(`${annotation(place, result.exitCode === 0 ? 'notice' : 'error')}\n`)
  setOutputs({ exit: result.exit, patch: result.patch === '' ? 'false' : 'true' })
  process.stdout.write(`${sanitizeLine(result.exit)}: ${sanitizeLine(result.text)}\n`)
  return result.exitCode
}

function taskOf(out: string, { base }: WorkFlags): CiTask {
  try {
    const given = readTaskFile(out)
    return base === undefined ? given : { ...given, base }
  } catch {
    // No gate ran before: the check is what there is to do.
    return { job: 'fix', task: '', base: base ?? '' }
  }
}

const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')

function wordsOf({ job }: CiTask, { check, allow }: WorkFlags, patchFile: string): string[] {
  const checked = check === undefined ? [] : ['--check', check]
  if (job === 'fix') return ['fix', '--json', ...checked, ...allow.flatMap((kind) => ['--allow', kind])]
  return ['run', '--json', ...checked, '--patch', patchFile]
}

const environmentOf = (all: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(all).flatMap(([key, value]) =>
      value !== undefined && passed.test(key) && !secret.test(key) ? [[key, value]] : [],
    ),
  )

/** Runs it to its end, tells what it does in a line each, and gives its last event. */
async function lastEvent(
  program: string,
  words: readonly string[],
  { cwd, env, input }: { readonly cwd: string; readonly env: Record<string, string>; readonly input: string },
): Promise<unknown> {
  const child = spawn(program, [...words], { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => undefined) // it ended before it read its task: its last words say why
  child.stdin.end(input)
  const stop = (): void => void child.kill('SIGINT')
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  let last: unknown
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  const ended = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      try {
        last = JSON.parse(line)
      } catch {
        continue // a line cut short by the end of the process
      }
      const said = lineOf(last)
      if (said !== undefined) process.stdout.write(`${sanitizeLine(said)}\n`)
    }
  })()
  await Promise.race([ended, failed])
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
  if (last === undefined) throw new OpenError('model', 'Cachalot ended without a word: see above')
  return last
}

function lineOf(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null) return undefined
  const { type, text, step, name } = event as { type?: string; text?: string; step?: number; name?: string }
  if (type === 'notice') return text
  if (type === 'step') return `step ${step}`
  return type === 'tool-result' ? `  ${name}` : undefined
}
