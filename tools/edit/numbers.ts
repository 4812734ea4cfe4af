/** Models copy the line numbers that `read` shows into their edits. */

const numbered = /^[ \t]*(\d+)(?:\t|$)/

/**
 * Both texts without the numbers, when every line of `old` begins with one and they count up by one; undefined
 * otherwise. Lines of `next` without a number stay as they are.
 */
export function stripShownNumbers(old: string, next: string): { old: string; next: string } | undefined {
  const lines = old.endsWith('\n') ? old.slice(0, -1).split('\n') : old.split('\n')
  const numbers = lines.map((line) => Number(numbered.exec(line)?.[1] ?? Number.NaN))
  if (!numbers.every((n, i) => n === numbers[0]! + i)) return undefined
  const strip = (text: string): string =>
    text
      .split('\n')
      .map((line) => line.replace(/^[ \t]*\d+(?:\t|$)/, ''))
      .join('\n')
  const stripped = { old: strip(old), next: strip(next) }
  return stripped.old.trim() === '' ? undefined : stripped
}
