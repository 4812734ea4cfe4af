/** `cachalot warm`: reads the repository ahead. */
import { type ExitReason, exitCode, type RepositoryPlan, readAhead } from '../../agent/index.ts'
import { EngineError, type Usage } from '../../engine/index.ts'
import { OpenError } from '../open/open-error.ts'
import { codeSettings } from '../open/workplace.ts'
import { kvFolder } from '../paths.ts'
import { jsonOutput } from '../run/json-output.ts'
import { type Output, resultOf } from '../run/output.ts'
import { textOutput } from '../run/text-output.ts'
import { stopOnSignals } from '../stop-on-signals.ts'
import { count, plural } from '../terminal/numbers.ts'
import { openScreen } from '../terminal/screen.ts'
import { UsageError } from '../usage-error.ts'
import { openModelPlace } from './place.ts'

const notKept = (read: number, kept: number, folder: string): string =>
  `Of ${count(read)} tokens that were read ${count(kept)} are kept: make room in ${folder}, or raise cache.max_gigabytes (XDG_CACHE_HOME names another place).`

function outlinesText({ files }: RepositoryPlan): string {
  const outlined = files.filter(({ state }) => state === 'outlined').length
  return outlined === 0 ? '' : ` and ${plural(outlined, 'outline')}`
}

/** Gives the exit code: 0 read whole, 3 model or engine, or what was read could not be kept, 130 interrupted (what was read is kept). Throws UsageError. */
export async function warmCommand(flags: Readonly<Record<string, unknown>>): Promise<number> {
  const began = performance.now()
  const screen = openScreen({
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    color: true,
    progress: flags['json'] !== true,
  })
  const output: Output = flags['json'] === true ? jsonOutput((text) => process.stdout.write(text)) : textOutput(screen)
  const finish = (exit: ExitReason, text: string, usage?: Usage): number => {
    const seconds = (performance.now() - began) / 1000
    const plain = resultOf({ exit, exitCode: exitCode[exit], text }, seconds)
    output.event(usage === undefined ? plain : { ...plain, usage })
    return exitCode[exit]
  }
  const stop = stopOnSignals()
  try {
    const { model, config, cwd, paths } = await openModelPlace({
      flags,
      signal: stop.signal,
      onStatus: output.status,
      onNotice: (text) => output.event({ type: 'notice', level: 'warning', text }),
    })
    try {
      output.event({ type: 'step', step: 1 })
      const done = await readAhead({
        model,
        root: cwd,
        ...codeSettings(config, paths),
        appendSystem: config.appendSystem,
        signal: stop.signal,
        onProgress: (read, total, cached) => output.event({ type: 'prefill', done: read, total, cached }),
      })
      if (done === undefined) return finish('done', 'There is nothing to read here.')
      const { usage, plan, kept } = done
      if (stop.signal.aborted) return finish('interrupted', `Kept ${count(kept)} tokens so far.`, usage)
      if (kept < usage.promptTokens) return finish('model', notKept(usage.promptTokens, kept, kvFolder(paths)), usage)
      const files = `${plural(plan.whole.length, 'file')}${outlinesText(plan)}`
      return finish('done', `${files} in ${count(usage.promptTokens)} tokens are kept for sessions here.`, usage)
    } finally {
      await model.close()
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    if (stop.signal.aborted) return finish('interrupted', 'Interrupted.')
    if (error instanceof OpenError) return finish(error.exit, error.message)
    const known = error instanceof EngineError || error instanceof Error
    return finish('model', known ? error.message : String(error))
  } finally {
    stop.dispose()
  }
}
