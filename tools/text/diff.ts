/** Unified diffs, for screens and reports. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'

/** The comparison gives up after this; the diff then shows the whole file as replaced. */
const timeoutMs = 2000

/**
 * Unified diff with three lines of context and `a/`, `b/` prefixes, as git writes it; `before` null for a new file,
 * `after` null for a deleted one. Empty when nothing differs.
 */
export function unifiedDiff(path: string, before: string | null, after: string | null): string {
  if (before === after) return ''
  const from = before === null ? '/dev/null' : `a/${path}`
  const to = after === null ? '/dev/null' : `b/${path}`
  const options = { context: 3, headerOptions: FILE_HEADERS_ONLY }
  const patch = createTwoFilesPatch(from, to, before ?? '', after ?? '', '', '', { ...options, timeout: timeoutMs })
  return patch ?? wholeFileDiff(from, to, before ?? '', after ?? '')
}

function wholeFileDiff(from: string, to: string, before: string, after: string): string {
  const removed = createTwoFilesPatch(from, to, before, '', '', '', { context: 0, headerOptions: FILE_HEADERS_ONLY })
  const added = createTwoFilesPatch(from, to, '', after, '', '', { context: 0, headerOptions: FILE_HEADERS_ONLY })
  const body = (patch: string): string[] => patch.split('\n').slice(3, -1)
  const [fromLine, toLine] = removed.split('\n', 2) // names that need it are quoted
  const minus = body(removed)
  const plus = body(added)
  const lines = (all: readonly string[]): number => all.filter((line) => !line.startsWith('\\')).length
  return [fromLine, toLine, `@@ -1,${lines(minus)} +1,${lines(plus)} @@`, ...minus, ...plus, ''].join('\n')
}
