/** `cachalot fix`: a failing check, reproduced, repaired and checked again by us. */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { AgentEvent } from '../../agent/index.ts'
import { SandboxError } from '../../sandbox/index.ts'
import { resolveConfig } from '../config/resolve.ts'
import { exitAfterFlush } from '../exit.ts'
import { openShadow, type Shadow } from '../git/shadow.ts'
import { OpenError } from '../open/open-error.ts'
import { openWantedSandbox, sandboxPolicy } from '../open/sandbox.ts'
import { wantWritable } from '../output-file.ts'
import { resolvePaths } from '../paths.ts'
import { watchInterrupts } from '../run/interrupt.ts'
import { textOutput } from '../run/text-output.ts'
import { safeJson, sanitize, sanitizeLine } from '../terminal/sanitize.ts'
import { openScreen } from '../terminal/screen.ts'
import { UsageError } from '../usage-error.ts'
import { workTree } from '../work-tree.ts'
import { paragraph } from './cause.ts'
import { type CheatKind, cheatKinds } from './cheat-patterns.ts'
import { type Place, placesIn } from './places.ts'
import { type Repair, type RepairOptions, repair } from './repair.ts'
import { reportLines, reportMarkdown } from './report.ts'
import { type CheckRun, reproduce } from './reproduce.ts'
import { type FixExit, type FixResult, fixExitCode } from './result.ts'

/** Flags of `fix` as commander gives them; those that are settings are read by the configuration. */
export interface FixFlags extends Readonly<Record<string, unknown>> {
  readonly cwd?: string
  readonly check?: string
  readonly checkSeconds?: string
  readonly rounds?: string
  readonly bestOf?: string
  readonly allow?: readonly string[]
  readonly patch?: string
  readonly report?: string
  readonly json?: boolean
  readonly color?: boolean
}

/** Repairs what a check complains of and gives the exit code of the process; see `fixExitCode`. */
export async function fixCheck(flags: FixFlags): Promise<number> {
  const json = flags.json === true
  const screen = openScreen({
    ...{ stdout: process.stdout, stderr: process.stderr, environment: process.env },
    ...{ color: flags.color !== false, progress: !json },
  })
  const drawn = textOutput(screen)
  const started = performance.now()
  const verified: string[] = []
  let places: readonly Place[] = []
  let over: number | undefined
  const check = flags.check ?? ''
  /** Says once how it ended; the last line of `--json` is always this. */
  const finish = (exit: FixExit, text: string, rest: Partial<FixResult> = {}): number => {
    if (over !== undefined) return over
    over = fixExitCode[exit]
    const seconds = (performance.now() - started) / 1000
    const none = { refused: [], files: [], patch: '', rounds: 0, places }
    const result: FixResult = { type: 'result', exit, exitCode: over, check, text, verified, ...none, ...rest, seconds }
    if (json) process.stdout.write(`${safeJson(result)}\n`)
    else {
      screen.freshLine()
      screen.write(`\n${reportLines(result).map(sanitize).join('\n')}\n`)
    }
    if (flags.report !== undefined && exit !== 'usage') writeFileSync(resolve(flags.report), reportMarkdown(result))
    return over
  }
  const onEvent = (event: AgentEvent): void => {
    if (json) process.stdout.write(`${safeJson(event)}\n`)
    else drawn.event(event)
  }
  const notice = (level: 'info' | 'warning', text: string): void => onEvent({ type: 'notice', level, text })
  const onCheck = (run: CheckRun): void => {
    verified.push(
      `\`${check}\` ${run.passed ? 'passes' : 'fails'} (${run.end}, ${run.seconds.toFixed(1)} s, in the sandbox)`,
    )
    if (!json) {
      screen.freshLine()
      screen.write(`${run.passed ? '✓' : '✗'} ${sanitizeLine(check)}: ${run.end}\n`)
    }
  }

  const interrupts = watchInterrupts(() => exitAfterFlush(finish('interrupted', 'Interrupted.'), 60))
  const { signal } = interrupts
  process.stdout.on('error', () => interrupts.interrupt()) // nobody reads any more
  let shadow: Shadow | undefined
  try {
    const { seconds, rounds, attempts, allowed } = readFlags(flags)
    wantWritable('--patch', flags.patch)
    wantWritable('--report', flags.report)
    const cwd = workTree(flags.cwd)
    const paths = resolvePaths()
    const { check: _, ...settings } = flags
    const { config, warnings } = resolveConfig({ cwd, paths, environment: process.env, flags: settings })
    for (const text of warnings) notice('warning', text)
    const sandbox = openWantedSandbox(config, cwd)
    const policy = sandboxPolicy(config, cwd)
    const checkOptions = { command: check, cwd, sandbox: await sandbox, policy, seconds, signal }

    const found = await reproduce(checkOptions)
    for (const run of found.runs) onCheck(run)
    if (found.kind === 'green')
      return finish('not-reproducible', `The check passes already, ${found.runs.length} times.`)
    if (found.kind === 'flaky') {
      return finish(
        'not-reproducible',
        'The check is flaky: of runs without any change between them, one passes and one fails.',
      )
    }

    places = placesIn(found.last.output, cwd)
    shadow = await openShadow(cwd)
    const opening = {
      ...{ config, cwd, sandbox, paths, signal, mayAsk: false, animated: !json && process.stderr.isTTY === true },
      onStatus: (text: string | undefined) => drawn.status(json ? undefined : text),
      onNotice: notice,
    }
    const options = { shadow, check: checkOptions, red: found.last, allowed, rounds, onEvent, onCheck }
    const done = await (attempts === 1 ? inPlace(opening, options) : severalTimes(opening, options, attempts))
    return await conclude(done, shadow, flags, finish)
  } catch (error) {
    if (signal.aborted) return finish('interrupted', 'Interrupted.')
    const text = error instanceof Error ? error.message : String(error)
    if (error instanceof UsageError) {
      if (!json) throw error
      return finish('usage', text)
    }
    if (error instanceof SandboxError) return finish('sandbox', text)
    if (error instanceof OpenError) return finish(error.exit === 'sandbox' ? 'sandbox' : 'model', text)
    return finish('not-fixed', text)
  } finally {
    shadow?.remove()
    interrupts.dispose()
  }
}

type Opening = Parameters<typeof import('../open/workplace.ts').openWorkplace>[0]
type Options = Omit<RepairOptions, 'session'>

async function inPlace(opening: Opening, options: Options): Promise<Repair> {
  const { openWorkplace } = await import('../open/workplace.ts')
  const place = await openWorkplace({ ...opening, tasksQuoteOutput: true })
  try {
    return await repair({ ...options, session: place.session })
  } finally {
    await place.close()
  }
}

async function severalTimes(opening: Opening, options: Options, attempts: number): Promise<Repair> {
  const { bestOf } = await import('./best-of.ts')
  const { openModel } = await import('../open/model.ts')
  // What an attempt has read is there for the next one.
  const model = await openModel({ ...opening, keepSequences: 1 })
  try {
    return await bestOf({ ...options, ...opening, model, attempts })
  } finally {
    await model.close()
  }
}

/** Keeps a repair that was seen to work; what does not is taken back, and told. */
async function conclude(
  done: Repair,
  shadow: Shadow,
  flags: FixFlags,
  finish: (exit: FixExit, text: string, rest: Partial<FixResult>) => number,
): Promise<number> {
  const { before, after, refused, rounds, exit } = done
  const changes = await shadow.changes(before, after)
  const files = changes.map(({ path }) => path)
  const patch = await shadow.patch(before, after)
  if (exit !== 'fixed') {
    await shadow.record()
    await shadow.restore(before, files)
    const tried = done.attempt ?? patch
    const attempt = tried === '' ? {} : { attempt: tried }
    return finish(exit, paragraph(done.text), { refused, rounds, ...attempt })
  }
  if (flags.patch !== undefined) writeFileSync(resolve(flags.patch), patch)
  return finish('fixed', paragraph(done.text), { refused, rounds, files, patch })
}

interface Wanted {
  readonly seconds: number
  readonly rounds: number
  readonly attempts: number
  readonly allowed: ReadonlySet<CheatKind>
}

function readFlags(flags: FixFlags): Wanted {
  if (flags.check === undefined || flags.check.trim() === '') {
    throw new UsageError('no check given. Run: cachalot fix --check "npm test"')
  }
  const allowed = new Set<CheatKind>()
  for (const word of (flags.allow ?? []).flatMap((words) => words.split(','))) {
    const kind = cheatKinds.find((each) => each === word.trim())
    if (kind === undefined) throw new UsageError(`--allow: "${word}" is none of ${cheatKinds.join(', ')}`)
    allowed.add(kind)
  }
  return {
    seconds: numberOf('--check-seconds', flags.checkSeconds, 600),
    rounds: numberOf('--rounds', flags.rounds, 3),
    attempts: numberOf('--best-of', flags.bestOf, 1),
    allowed,
  }
}

function numberOf(flag: string, given: string | undefined, fallback: number): number {
  if (given === undefined) return fallback
  const value = Number(given)
  if (!Number.isInteger(value) || value < 1 || value > 1_000_000) {
    throw new UsageError(`${flag}: must be a whole number of at least 1 (it is ${given})`)
  }
  return value
}
