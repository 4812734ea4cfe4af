/** `@path` and `@path:10-40`: the files, and the lines of them, that the user points at in a task. */
import { fenceFor, fenceOf } from './fence.ts'

/** `@a.ts`, `@"a b.ts":3`, `@a.ts:10-40`; the path without quotes, the lines where given (from 1, both included). */
export interface Mention {
  readonly path: string
  readonly from: number | undefined
  readonly to: number | undefined
}

const pattern = /(?:^|(?<=[\s([{,]))@(?:"([^"\n]+)"|([^\s":,;!?)\]}]+))(?::(\d+)(?:-(\d+))?)?/g

/** The mentions of a text, in its order. The files need not exist, nor the lines. */
export function mentions(text: string): Mention[] {
  return [...text.matchAll(pattern)].map(([, quoted, bare, from, to]) => ({
    path: quoted ?? (bare as string).replace(/\.+$/, ''),
    from: from === undefined ? undefined : Number(from),
    to: to === undefined ? (from === undefined ? undefined : Number(from)) : Number(to),
  }))
}

/** Lines of a file, numbered from 1, both ends included. */
interface Range {
  readonly from: number
  readonly to: number
}

export interface PointedAt {
  /** The lines to show, in the order of the file, none twice; empty where none were named or the file has none of them. */
  readonly ranges: readonly Range[]
  /** Nothing but those lines is wanted. A single line is a place in the file: the rest of it is wanted, too. */
  readonly only: boolean
}

/** What a task points at in a file that has so many lines. */
export function pointedAt(task: string, path: string, total: number): PointedAt {
  const here = mentions(task).filter((one) => isPath(one.path, path))
  const given = here
    .flatMap(({ from, to }) => (from === undefined || to === undefined ? [] : { from, to: Math.min(to, total) }))
    .filter(({ from, to }) => from >= 1 && from <= to)
    .sort((a, b) => a.from - b.from || a.to - b.to)
  const ranges: Range[] = []
  for (const one of given) {
    const last = ranges.at(-1)
    if (last !== undefined && one.from <= last.to + 1) ranges.splice(-1, 1, { ...last, to: Math.max(last.to, one.to) })
    else ranges.push(one)
  }
  const lines = ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)
  const partly = here.every(({ from, to }) => from !== undefined && to !== undefined && from !== to)
  return { ranges, only: ranges.length > 0 && partly && lines < total }
}

/** A mention may name the end of the path (`a.ts` for `src/a.ts`), or the path from the root of the machine. */
const isPath = (mentioned: string, path: string): boolean => {
  const tail = mentioned.replace(/^(\.?\/)+/, '')
  return tail === path || path.endsWith(`/${tail}`) || tail.endsWith(`/${path}`)
}

/** The lines of a file as a part of it, each behind its number. */
export function numberedPart(path: string, lines: readonly string[], { from, to }: Range): string {
  const text = lines
    .slice(from - 1, to)
    .map((line, n) => `${from + n}\t${line}`)
    .join('\n')
  const fence = fenceFor(text)
  const which = from === to ? `line ${from}` : `lines ${from}–${to}`
  return `${path}, ${which} of ${lines.length}, a part, each line behind its number:\n${fence}\n${text}\n${fence}`
}

/** The lines for a small model, to be written again in their place: without numbers, which it would write, too. */
export function partToRewrite(path: string, text: string, { from, to }: Range, total: number): string {
  return `${path}, lines ${from}–${to} of ${total}; write these again with your change, and no others:\n${fenceOf(path, text)}`
}
