/** What of a repository is in the context, as lines for a terminal. */
import type { ContextReport, PlannedFile } from '../../agent/index.ts'
import { count, duration, plural } from '../terminal/numbers.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'

/** Whether the repository is in the context, and tokens by folder and file: whole, as an outline, not at all, and why. */
export const contextLines = (report: ContextReport): string[] => [
  ...headLines(report),
  '',
  ...folderLines(report.plan.files),
]

/** The same by folder only, those that take most. */
export function contextSummary(report: ContextReport): string[] {
  const folders = [...byFolder(report.plan.files)].map(([folder, files]) => ({
    folder,
    files,
    tokens: tokensOf(files),
  }))
  const shown = folders.filter(({ tokens }) => tokens > 0).sort((a, b) => b.tokens - a.tokens)
  const more = shown.length - mostFolders
  return [
    ...headLines(report),
    '',
    ...shown
      .slice(0, mostFolders)
      .map(({ folder, files, tokens }) => `${count(tokens).padStart(9)}  ${sanitizeLine(folder)}  ${states(files)}`),
    ...(more > 0 ? [`           and ${plural(more, 'folder')} more`] : []),
    '',
    states(report.plan.files),
  ]
}

/** Folders that a summary names. */
const mostFolders = 12

function headLines(report: ContextReport): string[] {
  const { plan, resident, why, contextTokens, budgetTokens, otherTokens, tokensPerSecond } = report
  const time = tokensPerSecond === undefined ? '' : `, ${duration(plan.tokens / tokensPerSecond)} of reading at first`
  const context = contextTokens === undefined ? '' : ` of a context of ${count(contextTokens)}`
  return [
    `The repository is ${resident ? '' : 'not '}in the context of a session here: ${why}.`,
    `${resident ? 'It takes' : 'It would take'} ${count(plan.tokens)} tokens (at most ${count(budgetTokens)}${context})${time}; system and instructions take ${count(otherTokens)}.`,
  ]
}

const marks: Readonly<Record<PlannedFile['state'], string>> = { whole: '●', outlined: '◐', absent: '○' }

const tokensOf = (files: readonly PlannedFile[]): number => files.reduce((sum, { tokens }) => sum + tokens, 0)

function states(files: readonly PlannedFile[]): string {
  const sum = (state: PlannedFile['state']): number => files.filter((file) => file.state === state).length
  return `${plural(sum('whole'), 'file')} whole (●), ${sum('outlined')} outlined (◐), ${sum('absent')} absent (○)`
}

function byFolder(files: readonly PlannedFile[]): Map<string, PlannedFile[]> {
  const folders = new Map<string, PlannedFile[]>()
  for (const file of files) {
    const folder = file.path.slice(0, file.path.lastIndexOf('/') + 1) || './'
    const inside = folders.get(folder)
    if (inside === undefined) folders.set(folder, [file])
    else inside.push(file)
  }
  return folders
}

/** Files under their folders, with sums. */
function folderLines(files: readonly PlannedFile[]): string[] {
  const lines = [...byFolder(files)].flatMap(([folder, inside]) => {
    return [
      `${count(tokensOf(inside)).padStart(9)}  ${sanitizeLine(folder)}`,
      ...inside.map((file) => {
        const name = sanitizeLine(file.path.slice(file.path.lastIndexOf('/') + 1))
        const why = file.reason === undefined ? '' : `  ${file.state}: ${file.reason}`
        return `${(file.tokens > 0 ? count(file.tokens) : '').padStart(9)}    ${marks[file.state]} ${name}${why}`
      }),
    ]
  })
  return [...lines, '', states(files)]
}
