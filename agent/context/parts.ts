/** A long file in parts, each short enough for a small model to write again. */
import { isLong } from './excerpt.ts'

/** A part grows until a good place to cut comes, from the first number of lines to the second. */
const least = 40
const most = 90

/**
 * Lines (from 1, both included) of the parts of a file, the last first, so that a change of one does not move those that come
 * after it. Cut above lines that follow an empty one, where there is one that is indented the least of them. One part for a file that is not long.
 */
export function partsOf(text: string, tokens: number): { readonly from: number; readonly to: number }[] {
  const lines = text.replace(/\n$/, '').split('\n')
  if (!isLong(text, tokens)) return [{ from: 1, to: lines.length }]
  const parts: { readonly from: number; readonly to: number }[] = []
  for (let from = 0; from < lines.length; ) {
    const to = lines.length - from <= most ? lines.length : cutWithin(lines, from + least, from + most)
    // An answer does not tell how many empty lines come after it.
    let end = to
    while (end > from + 1 && lines[end - 1]?.trim() === '') end -= 1
    parts.unshift({ from: from + 1, to: end })
    from = to
  }
  return parts
}

/** The index of the line before which to cut: the least indented one behind an empty line, the last of equals. */
function cutWithin(lines: readonly string[], from: number, to: number): number {
  let best = { at: to, indent: Number.POSITIVE_INFINITY }
  for (let at = from; at <= to; at += 1) {
    const line = lines[at] ?? ''
    const indent = line.search(/\S/)
    if (indent === -1 || lines[at - 1]?.trim() !== '' || /^[\s)\]}]*$/.test(line)) continue
    if (indent <= best.indent) best = { at, indent }
  }
  return best.at
}
