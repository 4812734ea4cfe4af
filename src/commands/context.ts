/** `cachalot context`: what of the repository a session here has in its context. */
import { type ContextReport, describeContext, exitCode } from '../../agent/index.ts'
import { OpenError } from '../open/open-error.ts'
import { codeSettings } from '../open/workplace.ts'
import { safeJson, sanitizeLine } from '../terminal/sanitize.ts'
import { contextLines } from './context-lines.ts'
import { openModelPlace } from './place.ts'

/** Gives the exit code: 0, or 3 when the model could not be opened. Throws UsageError. */
export async function contextCommand(flags: Readonly<Record<string, unknown>>): Promise<number> {
  const stop = new AbortController()
  const note = (text: string): boolean => process.stderr.write(`cachalot: ${sanitizeLine(text)}\n`)
  try {
    const { model, config, cwd, paths } = await openModelPlace({
      flags,
      signal: stop.signal,
      onStatus: () => undefined,
      onNotice: note,
    })
    try {
      const settings = codeSettings(config, paths)
      const report = await describeContext({ model, root: cwd, ...settings, appendSystem: config.appendSystem })
      await settings.code.close()
      process.stdout.write(
        flags['json'] === true ? `${safeJson(asJson(report))}\n` : `${contextLines(report).join('\n')}\n`,
      )
      return 0
    } finally {
      await model.close()
    }
  } catch (error) {
    if (!(error instanceof OpenError)) throw error
    note(error.message)
    return exitCode[error.exit]
  }
}

function asJson({ plan, ...report }: ContextReport): object {
  return { ...report, repositoryTokens: plan.tokens, files: plan.files }
}
