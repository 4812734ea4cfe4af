/** `cachalot context`: what of the repository a session here has in its context. */
import { type ContextReport, describeContext, exitCode, type PlannedFile } from '../../agent/index.ts'
import { OpenError } from '../open/open-error.ts'
import { codeSettings } from '../open/workplace.ts'
import { count, duration, plural } from '../terminal/numbers.ts'
import { safeJson, sanitizeLine } from '../terminal/sanitize.ts'
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
      process.stdout.write(flags['json'] === true ? `${safeJson(asJson(report))}\n` : `${linesOf(report).join('\n')}\n`)
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

function linesOf(report: ContextReport): string[] {
  const { plan, resident, why, contextTokens, budgetTokens, otherTokens, tokensPerSecond } = report
  const time = tokensPerSecond === undefined ? '' : `, ${duration(plan.tokens / tokensPerSecond)} of reading at first`
  const context = contextTokens === undefined ? '' : ` of a context of ${count(contextTokens)}`
  return [
    `The repository is ${resident ? '' : 'not '}in the context of a session here: ${why}.`,
    `${resident ? 'It takes' : 'It would take'} ${count(plan.tokens)} tokens (at most ${count(budgetTokens)}${context})${time}; system and instructions take ${count(otherTokens)}.`,
    '',
    ...folderLines(plan.files),
  ]
}

const marks: Readonly<Record<PlannedFile['state'], string>> = { whole: '●', outlined: '◐', absent: '○' }

/** Files under their folders, with sums. */
function folderLines(files: readonly PlannedFile[]): string[] {
  const folders = new Map<string, PlannedFile[]>()
  for (const file of files) {
    const folder = file.path.slice(0, file.path.lastIndexOf('/') + 1) || './'
    const inside = folders.get(folder)
    if (inside === undefined) folders.set(folder, [file])
    else inside.push(file)
  }
  const lines = [...folders].flatMap(([folder, inside]) => {
    const tokens = inside.reduce((sum, file) => sum + file.tokens, 0)
    return [
      `${count(tokens).padStart(9)}  ${sanitizeLine(folder)}`,
      ...inside.map((file) => {
        const name = sanitizeLine(file.path.slice(file.path.lastIndexOf('/') + 1))
        const why = file.reason === undefined ? '' : `  ${file.state}: ${file.reason}`
        return `${(file.tokens > 0 ? count(file.tokens) : '').padStart(9)}    ${marks[file.state]} ${name}${why}`
      }),
    ]
  })
  const sum = (state: PlannedFile['state']): number => files.filter((file) => file.state === state).length
  return [
    ...lines,
    '',
    `${plural(sum('whole'), 'file')} whole (●), ${sum('outlined')} outlined (◐), ${sum('absent')} absent (○)`,
  ]
}
