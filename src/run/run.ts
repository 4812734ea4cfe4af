/** The one-shot front end: one task, shown on stdout, an exit code at the end. */
import { type ExitReason, exitCode } from '../../agent/index.ts'
import { resolveConfig } from '../config/resolve.ts'
import { exitAfterFlush } from '../exit.ts'
import { OpenError } from '../open/open-error.ts'
import { openWantedSandbox } from '../open/sandbox.ts'
import { resolvePaths } from '../paths.ts'
import { safeJson } from '../terminal/sanitize.ts'
import { openScreen } from '../terminal/screen.ts'
import { UsageError, usageExitCode } from '../usage-error.ts'
import { workTree } from '../work-tree.ts'
import { watchInterrupts } from './interrupt.ts'
import { jsonOutput } from './json-output.ts'
import { type Output, type ResultEvent, resultOf, type UsageResult } from './output.ts'
import { quietOutput } from './quiet-output.ts'
import { isPiped, readTask } from './task.ts'
import { textOutput } from './text-output.ts'

/** Flags of `run` as commander gives them; those that are settings are read by the configuration. */
export interface RunFlags extends Readonly<Record<string, unknown>> {
  readonly cwd?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly color?: boolean
}

/** Does one task and gives the exit code of the process. */
export async function runOnce(words: readonly string[], flags: RunFlags): Promise<number> {
  const started = performance.now()
  const seconds = (): number => (performance.now() - started) / 1000
  /** A person may be watching, beside the output proper. */
  const shown = flags.json !== true && flags.quiet !== true
  const screen = openScreen({
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    color: flags.color !== false,
    progress: shown,
  })
  const output: Output =
    flags.json === true
      ? jsonOutput((text) => process.stdout.write(text))
      : flags.quiet === true
        ? quietOutput(screen)
        : textOutput(screen)
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
      words,
      stdin: process.stdin,
      piped: isPiped(0),
      note: (text) => notice('warning', text),
    })
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
    })
    try {
      for await (const event of place.session.send(task, { signal: interrupts.signal })) {
        if (event.type === 'result') finish(event)
        else if (result === undefined) output.event(event)
      }
    } finally {
      await place.close()
    }
    return fail('model', 'The session ended without a result: this is a fault of Cachalot.')
  } catch (error) {
    if (interrupts.signal.aborted) return fail('interrupted', 'Interrupted.')
    if (error instanceof UsageError) return usageFailure(error, flags.json === true)
    const text = error instanceof Error ? error.message : String(error)
    return fail(error instanceof OpenError ? error.exit : 'model', text)
  } finally {
    interrupts.dispose()
  }
}

function usageFailure(error: UsageError, json: boolean): number {
  process.stderr.write(`cachalot: ${error.message}\n`)
  if (json) {
    const event: UsageResult = { type: 'result', exit: 'usage', exitCode: usageExitCode, text: error.message }
    process.stdout.write(`${safeJson(event)}\n`)
  }
  return usageExitCode
}
