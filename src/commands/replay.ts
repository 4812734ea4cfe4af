/** `cachalot replay`: a conversation held once more, with the recorded results in place of the tools. */
import { exitCode, LogError, type Rerun, rerunSession, sessionModel } from '../../agent/index.ts'
import { EngineError } from '../../engine/index.ts'
import { OpenError } from '../open/open-error.ts'
import { stopOnSignals } from '../stop-on-signals.ts'
import { safeJson, sanitizeLine } from '../terminal/sanitize.ts'
import { findLog } from './find-log.ts'
import { openModelPlace } from './place.ts'

/** Gives the exit code: 0 all replies are the same, 1 one differs, 3 model, 130 interrupted. Throws UsageError. */
export async function replayCommand(wanted: string, flags: Readonly<Record<string, unknown>>): Promise<number> {
  const file = await findLog(wanted, typeof flags['cwd'] === 'string' ? flags['cwd'] : undefined)
  const say = (text: string): void => void process.stderr.write(`cachalot: ${sanitizeLine(text)}\n`)
  const stop = stopOnSignals()
  try {
    // The model that the session was held with, unless another spelling of it is given.
    const model = flags['model'] ?? (await sessionModel(file))
    const place = await openModelPlace({
      flags: { ...flags, ...(model !== undefined && { model }) },
      signal: stop.signal,
      onStatus: () => undefined,
      onNotice: say,
    })
    const { temperature, seed } = place.config
    try {
      const rerun = await rerunSession(file, place.model, {
        signal: stop.signal,
        sampling: { ...(temperature !== undefined && { temperature }), ...(seed !== undefined && { seed }) },
      })
      if (flags['json'] === true) process.stdout.write(`${safeJson(rerun)}\n`)
      else for (const text of rerunLines(rerun)) process.stdout.write(`${sanitizeLine(text)}\n`)
      return rerun.divergence === undefined && rerun.broken === undefined ? 0 : 1
    } finally {
      await place.model.close()
    }
  } catch (error) {
    if (stop.signal.aborted) return exitCode.interrupted
    if (error instanceof LogError) {
      say(error.message)
      return 1
    }
    if (!(error instanceof OpenError || error instanceof EngineError)) throw error
    say(error.message)
    return exitCode.model
  } finally {
    stop.dispose()
  }
}

/** Around the first difference, so much of both. */
const shown = 200

function rerunLines({ id, replies, divergence, broken }: Rerun): string[] {
  const head = broken === undefined ? [] : [broken]
  if (divergence === undefined)
    return [...head, `${id}: ${replies === 1 ? 'one reply' : `${replies} replies`}, all as recorded.`]
  const { reply, what, recorded, now } = divergence
  let at = 0
  while (at < recorded.length && recorded[at] === now[at]) at += 1
  const from = Math.max(0, at - shown / 4)
  const piece = (text: string) => JSON.stringify(text.slice(from, from + shown))
  return [
    ...head,
    `${id}: reply ${reply} is another one: its ${what} differs at character ${at}.`,
    `  recorded  ${piece(recorded)}`,
    `  now       ${piece(now)}`,
  ]
}
