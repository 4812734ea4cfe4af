/** Files that are shown by what they define only. */
import { isUtf8 } from 'node:buffer'
import { readWithin } from '../../../sandbox/index.ts'
import { holdsSecret } from '../secrets.ts'
import { type Reason, reasonByText } from './classify.ts'
import type { Surveyed } from './survey.ts'

/** Signatures of a file with their line numbers; undefined where the language is not known. */
export type OutlineOf = (path: string, text: string) => Promise<string | undefined>

/** How much the other files of a work tree lean on each; higher is more. Absent: nothing is known of it. */
export type RankOf = (root: string, paths: readonly string[]) => Promise<ReadonlyMap<string, number>>

interface Sense {
  readonly outlineOf?: OutlineOf | undefined
  readonly rankOf?: RankOf | undefined
}

/** The same for several ways through one tree: each outline, and the ranks, are asked for once. */
export function askedOnce({ outlineOf, rankOf }: Sense): Sense {
  const outlines = new Map<string, ReturnType<OutlineOf>>()
  let ranks: ReturnType<RankOf> | undefined
  return {
    outlineOf:
      outlineOf &&
      ((path, text) => {
        const outline = outlines.get(path) ?? outlineOf(path, text)
        outlines.set(path, outline)
        return outline
      }),
    rankOf:
      rankOf &&
      ((root, paths) => {
        ranks ??= rankOf(root, paths)
        return ranks
      }),
  }
}

export interface Outlined {
  readonly file: Surveyed
  readonly text: string
  readonly reason: Reason
}

/** So many in a row that did not fit, and the rest is not looked at: most of it would not fit either. */
const mostMisses = 24
/** Read and parsed at once: while one is parsed the next are read. */
const atOnce = 16

/** The share of the room that one outline may take, of a file that defines thousands of things, and what it may take in any case. */
const mostShare = 0.25
const leastWhole = 400

/** In the order given, as long as there is room. `leastRoom`: less is not worth another file. All in tokens. */
export async function outlineAll(
  root: string,
  files: readonly Surveyed[],
  { tokens, leastRoom, estimate }: { tokens: number; leastRoom: number; estimate: (text: string) => number },
  outlineOf: OutlineOf,
): Promise<Outlined[]> {
  const outlined: Outlined[] = []
  const most = Math.max(leastWhole, tokens * mostShare)
  let room = tokens
  let misses = 0
  for (let at = 0; at < files.length && room >= leastRoom && misses < mostMisses; at += atOnce) {
    const some = files.slice(at, at + atOnce)
    const texts = await Promise.all(some.map((file) => outlineText(root, file, outlineOf)))
    for (const [index, file] of some.entries()) {
      const { text: all, reason } = texts[index] ?? {}
      const text = all === undefined || estimate(all) <= most ? all : cut(all, most, estimate)
      if (text === undefined || room < leastRoom || misses >= mostMisses) continue
      if (estimate(text) > room) {
        misses += 1
        continue
      }
      misses = 0
      room -= estimate(text)
      outlined.push({ file, text, reason: file.reason ?? reason ?? 'no room' })
    }
  }
  return outlined
}

/** The lines from the beginning that take so many tokens at most, and how many more there are. */
function cut(text: string, most: number, estimate: (text: string) => number): string {
  const lines = text.split('\n')
  let length = 0
  let count = 0
  while (count < lines.length && estimate(text.slice(0, length + lines[count]!.length)) <= most) {
    length += lines[count]!.length + 1
    count += 1
  }
  return `${lines.slice(0, count).join('\n')}\n… and ${lines.length - count} lines more of this outline`
}

/** `reason`: why it is not whole, as far as its text tells. */
async function outlineText(
  root: string,
  { path }: Surveyed,
  outlineOf: OutlineOf,
): Promise<{ readonly text: string; readonly reason: Reason | undefined } | undefined> {
  const read = await readWithin(root, path)
  if (read === undefined || read.includes(0) || !isUtf8(read)) return undefined
  const body = read
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
  const reason = reasonByText(body)
  if (reason === 'empty' || reason === 'minified') return undefined
  const lines = await outlineOf(path, body)
  // What defines a key may stand in the outline, too.
  if (lines === undefined || lines === '' || (reason === 'secret' && holdsSecret(lines))) return undefined
  return { text: `${path}\n${lines}`, reason }
}
