/** After an edit: whether a file can still be read by its grammar. A new fault is told at once, with its line. */
import { type CodeSense, languageOf, type TextChange, type ToolDetails } from '../../tools/index.ts'

/** Faults that are told, of one edit. */
const most = 3

/** Words for the model; undefined when nothing new is wrong, or nobody can tell. */
export async function newFaults(details: ToolDetails, code: CodeSense | undefined): Promise<string | undefined> {
  if (code === undefined) return undefined
  const changes = details.kind === 'change' ? [details] : details.kind === 'changes' ? details.files : []
  const told: string[] = []
  for (const change of changes) told.push(...(await faultsOf(change, code)))
  if (told.length === 0) return undefined
  return `This can no longer be parsed:\n${told.slice(0, most).join('\n')}`
}

/**
 * Faults of the new text that the old one did not have, each with path and line. In a language that a grammar cannot judge by
 * itself (macros, dialects) a new file has none.
 */
export async function faultsOf({ path, before, after }: TextChange, code: CodeSense): Promise<string[]> {
  const language = languageOf(path)
  if (after === null || language === undefined || (before === null && !language.strict)) return []
  const faults = (await code.problems(path, after)) ?? []
  if (faults.length === 0) return []
  const old = before === null ? [] : ((await code.problems(path, before)) ?? [])
  if (old.length >= faults.length) return []
  const known = new Set(old.map(({ message }) => message))
  const fresh = faults.filter(({ message }) => !known.has(message))
  const changed = before === null ? undefined : changedLines(before, after)
  return (fresh.length > 0 ? fresh : faults).map(({ line, message }) => {
    // Where a bracket or an `end` is missing, a grammar may give up on the whole file: the change is the place to look at.
    const away = changed !== undefined && (line < changed.from || line > changed.to)
    return `${path}: line ${line}: ${message}${away ? `; what broke it is the change at line ${changed.from}` : ''}`
  })
}

/** The lines of the new text, from 1, between what both begin and end with; where lines went, those around the place. */
function changedLines(before: string, after: string): { readonly from: number; readonly to: number } {
  const [old, now] = [before.split('\n'), after.split('\n')]
  const least = Math.min(old.length, now.length)
  let from = 0
  while (from < least && old[from] === now[from]) from += 1
  let tail = 0
  while (tail < least - from && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1
  return { from: from + 1, to: Math.max(from + 1, now.length - tail) }
}
