/** The one-shot front end: one task, shown on stdout, an exit code at the end. */
import { type ExitReason, exitCode, listSessions } from '../../agent/index.ts'
import { resolveConfig } from '../config/resolve.ts'
import { exitAfterFlush } from '../exit.ts'
import { OpenError } from '../open/open-error.ts'
import { openWantedSandbox } from '../open/sandbox.ts'
import { resolvePaths } from '../paths.ts'
import { safeJson } from '../terminal/sanitize.ts'
import { openScreen } from '../terminal/screen.ts'
import { UsageError, usageExitCode } from '../usage-error.ts'
import { workTree } from '../work-tree.ts'
import { type Aftermath, openAftermath } from './aftermath.ts'
import { formatOf, outputFor } from './format.ts'
import { watchInterrupts } from './interrupt.ts'
import { resolveMentions } from './mentions.ts'
import { type ResultEvent, resultOf, type UsageResult } from './output.ts'
import { isPiped, readTask } from './task.ts'

/** Flags of `run` as commander gives them; those that are settings are read by the configuration. */
export interface RunFlags extends Readonly<Record<string, unknown>> {
  readonly cwd?: string
  readonly json?: boolean
  readonly outputFormat?: string
  readonly quiet?: boolean
  readonly patch?: string
  readonly commit?: boolean
  readonly resume?: string
  readonly color?: boolean
}

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
  let result: ResultEvent | undefined
  const finish = (event: ResultEvent): number => {
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
  // A reader that went away (`| head`) ends the run quietly.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    interrupts.interrupt()
  })
  process.stderr.on('error', () => undefined) // nobody is left to tell

  try {
    const cwd = workTree(flags.cwd)
    const paths = resolvePaths()
    const { config, warnings } = resolveConfig({ cwd, paths, environment: process.env, flags })
    const notice = (level: 'info' | 'warning', text: string): void => output.event({ type: 'notice', level, text })
    for (const text of warnings) notice('warning', text)
    const sandbox = openWantedSandbox(config, cwd)
    // Whoever needs it hears of a failure; until then it is not an unhandled one.
    sandbox.catch(() => undefined)
    const task = await readTask({
      words: resolveMentions(words, cwd),
      stdin: process.stdin,
      piped: isPiped(0),
      note: (text) => notice('warning', text),
    })
    const resume = flags.resume === undefined ? undefined : await findSession(paths.state, flags.resume, cwd)
    aftermath = await openAftermath(cwd, flags, (text) => notice('info', text))
    // Loaded while the sandbox tries itself.
    const { openWorkplace } = await import('../open/workplace.ts')
    const place = await openWorkplace({
      config,
      cwd,
      sandbox,
      paths,
      signal: interrupts.signal,
      mayAsk: shown && process.stdin.isTTY === true && process.stderr.isTTY === true,
      animated: shown && process.stderr.isTTY === true,
      onStatus: (text) => output.status(text),
      onNotice: notice,
      ...(resume !== undefined && { session: { resume } }),
    })
    try {
      for await (const event of place.session.send(task, { signal: interrupts.signal })) {
        if (event.type === 'result') finish(await aftermath.conclude(event, task, place.session.info.model.name))
        else if (result === undefined) output.event(event)
      }
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
    interrupts.dispose()
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
