/** The one-shot front end: one task, shown on stdout, an exit code at the end. */
import { type AgentEvent, type ExitReason, exitCode, listFiles, listSessions } from '../../agent/index.ts'
import { resolveConfig } from '../config/resolve.ts'
import { exitAfterFlush } from '../exit.ts'
import { OpenError } from '../open/open-error.ts'
import { openWantedSandbox } from '../open/sandbox.ts'
import { wantWritable } from '../output-file.ts'
import { resolvePaths } from '../paths.ts'
import { safeJson } from '../terminal/sanitize.ts'
import { openScreen } from '../terminal/screen.ts'
import { UsageError, usageExitCode } from '../usage-error.ts'
import { workTree } from '../work-tree.ts'
import { type Aftermath, openAftermath } from './aftermath.ts'
import { converse } from './converse.ts'
import { dryConfig, planLines, planRun } from './dry-run.ts'
import type { RunFlags } from './flags.ts'
import { formatOf, outputFor } from './format.ts'
import { needsVision, readImages } from './images.ts'
import { watchInterrupts } from './interrupt.ts'
import { resolveMentions } from './mentions.ts'
import { type RunResult, resultOf, type UsageResult } from './output.ts'
import { type OwnWorktree, openOwnWorktree } from './own-worktree.ts'
import type { OutputSchema } from './schema.ts'
import { isPiped, readTask } from './task.ts'

/** Does one task and gives the exit code of the process. */
export async function runOnce(words: readonly string[], flags: RunFlags): Promise<number> {
  const started = performance.now()
  const seconds = (): number => (performance.now() - started) / 1000
  const format = formatOf(flags)
  /** A person may be watching, beside the output proper. */
  const shown = format === 'text' && flags.quiet !== true
  const screen = openScreen({
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    color: flags.color !== false,
    progress: shown,
  })
  const output = outputFor(format, flags.quiet === true, screen)
  let result: RunResult | undefined
  const finish = (event: RunResult): number => {
    if (result === undefined) {
      result = event
      output.event(event)
    }
    return result.exitCode
  }
  const fail = (exit: ExitReason, text: string): number =>
    finish(resultOf({ exit, exitCode: exitCode[exit], text }, seconds()))

  const interrupts = watchInterrupts(() => exitAfterFlush(fail('interrupted', 'Interrupted.'), 60))
  let aftermath: Aftermath | undefined
  let own: OwnWorktree | undefined
  // A reader that went away (`| head`) ends the run quietly.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    interrupts.interrupt()
  })
  process.stderr.on('error', () => undefined) // nobody is left to tell

  try {
    const home = workTree(flags.cwd)
    const paths = resolvePaths()
    const notice = (level: 'info' | 'warning', text: string): void => output.event({ type: 'notice', level, text })
    const note = (text: string): void => notice('info', text)
    const dry = flags.dryRun === true
    const schema = await schemaOf(flags.outputSchema)
    const pictures = readImages(flags.image ?? [])
    refuseTogether(flags)
    wantWritable('--patch', flags.patch)
    const resume = flags.resume === undefined ? undefined : await findSession(paths.state, flags.resume, home)
    const { config: asked, warnings } = resolveConfig({ cwd: home, paths, environment: process.env, flags })
    own =
      flags.worktree === true && !dry
        ? await openOwnWorktree({ cwd: home, stateFolder: paths.state, name: words.join(' ') }, note)
        : undefined
    const cwd = own?.worktree.root ?? home
    const config = dry ? dryConfig(asked) : asked
    const attempts = attemptsOf(flags, config.check)
    for (const text of warnings) notice('warning', text)
    for (const line of dry ? planLines(asked, flags, home) : []) note(line)
    const sandbox = openWantedSandbox(config, cwd)
    // Whoever needs it hears of a failure; until then it is not an unhandled one.
    sandbox.catch(() => undefined)
    const task = await readTask({
      words: resolveMentions(words, home, { seen: cwd }),
      stdin: process.stdin,
      piped: isPiped(0),
      note: (text) => notice('warning', text),
    })
    aftermath = dry ? undefined : await openAftermath({ cwd, ...flags, ...(own && { own }), note })
    const opening = {
      config,
      paths,
      signal: interrupts.signal,
      mayAsk: shown && process.stdin.isTTY === true && process.stderr.isTTY === true,
      animated: shown && process.stderr.isTTY === true,
      onStatus: (text: string | undefined) => output.status(text),
      onNotice: notice,
    }
    const onEvent = (event: AgentEvent): void => {
      if (result === undefined) output.event(event)
    }
    if (attempts > 1) {
      const { runAttempts } = await import('./best-of.ts')
      const ended = await runAttempts({ ...opening, attempts, task, cwd, onEvent })
      return finish((await aftermath?.conclude(ended.result, task, ended.model)) ?? ended.result)
    }
    const listed = listFiles(cwd)
    listed.catch(() => undefined) // then it is tried again where it is needed
    // Loaded while the sandbox tries itself.
    const { openWorkplace } = await import('../open/workplace.ts')
    const place = await openWorkplace({
      ...opening,
      cwd,
      sandbox,
      session: { listed, ...(resume !== undefined && { resume }) },
    })
    try {
      const { session } = place
      needsVision(pictures, session.info.model)
      const request = { session, task, signal: interrupts.signal, pictures, onEvent }
      const ended = dry ? await planRun(request) : await converse({ ...request, ...(schema && { schema }) })
      if (ended !== undefined) finish((await aftermath?.conclude(ended, task, session.info.model.name)) ?? ended)
    } finally {
      await place.close()
    }
    return fail('model', 'The session ended without a result: this is a fault of Cachalot.')
  } catch (error) {
    if (interrupts.signal.aborted) return fail('interrupted', 'Interrupted.')
    if (error instanceof UsageError) return usageFailure(error, format !== 'text')
    const text = error instanceof Error ? error.message : String(error)
    return fail(error instanceof OpenError ? error.exit : 'model', text)
  } finally {
    aftermath?.close()
    await own?.close().catch(() => undefined) // git fails: the worktree stays, and its place was told
    interrupts.dispose()
  }
}

/** `--best-of`; 1 without it. Throws UsageError for what cannot be judged, or would be done in the wrong place. */
function attemptsOf({ bestOf, worktree, resume, dryRun, outputSchema }: RunFlags, check: string | undefined): number {
  if (bestOf === undefined) return 1
  const attempts = Number(bestOf)
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > 64)
    throw new UsageError(`--best-of: must be a whole number from 1 to 64 (it is ${bestOf})`)
  if (check === undefined) throw new UsageError('--best-of: say how an attempt is judged, with --check "<command>"')
  const other = { worktree, resume, dryRun, outputSchema }
  const named = Object.entries(other).find(([, given]) => given !== undefined)?.[0]
  if (named === undefined) return attempts
  const flag = named.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new UsageError(`--best-of: each attempt is a session in a worktree of its own; leave out --${flag}`)
}

/** Loaded where it is wanted: the reader of JSON Schema is a large part of a library. */
async function schemaOf(file: string | undefined): Promise<OutputSchema | undefined> {
  return file === undefined ? undefined : (await import('./schema.ts')).readOutputSchema(file)
}

/** Throws UsageError for flags that contradict each other. */
function refuseTogether({ worktree, resume, dryRun, outputSchema }: RunFlags): void {
  if (worktree === true && resume !== undefined) {
    throw new UsageError('--worktree: a session goes on in the folder it was held in; leave out --worktree or --resume')
  }
  if (dryRun === true && outputSchema !== undefined) {
    throw new UsageError('--dry-run: a plan is text; leave out --output-schema or --dry-run')
  }
}

/** The log of an earlier session of this folder: its id, the beginning of one, or `last`. */
async function findSession(state: string, wanted: string, cwd: string): Promise<string> {
  const sessions = await listSessions(state, { cwd })
  const found = wanted === 'last' ? sessions.slice(0, 1) : sessions.filter(({ id }) => id.startsWith(wanted))
  const [first] = found
  if (first === undefined) throw new UsageError(`--resume: there is no session ${wanted} of ${cwd}`)
  if (found.length > 1)
    throw new UsageError(
      `--resume: ${found.length} sessions begin with ${wanted}: ${found.map(({ id }) => id).join(', ')}`,
    )
  return first.file
}

function usageFailure(error: UsageError, json: boolean): number {
  process.stderr.write(`cachalot: ${error.message}\n`)
  if (json) {
    const event: UsageResult = { type: 'result', exit: 'usage', exitCode: usageExitCode, text: error.message }
    process.stdout.write(`${safeJson(event)}\n`)
  }
  return usageExitCode
}
