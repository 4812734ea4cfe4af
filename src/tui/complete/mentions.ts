/** `@path` and `@path:10-40` in a message: the named lines are put behind it, so that the model has them. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, relative, resolve } from 'node:path'
import { isPicture } from '../editor/pictures.ts'

/** `@a.ts`, `@"a b.ts":3`, `@a.ts:10-40`; the path without quotes, the lines where given (from 1, both included). */
interface Mention {
  readonly path: string
  readonly from: number | undefined
  readonly to: number | undefined
}

const pattern = /(?:^|(?<=[\s([{,]))@(?:"([^"\n]+)"|([^\s":,;!?)\]}]+))(?::(\d+)(?:-(\d+))?)?/g

export function mentions(text: string): Mention[] {
  return [...text.matchAll(pattern)].map(([, quoted, bare, from, to]) => ({
    path: quoted ?? (bare as string).replace(/\.+$/, ''),
    from: from === undefined ? undefined : Number(from),
    to: to === undefined ? (from === undefined ? undefined : Number(from)) : Number(to),
  }))
}

/** Whether a message carries pictures: they need a message of their own. */
export const hasPictures = (text: string): boolean => mentions(text).some(({ path }) => isPicture(path))

const mostBytes = 1 << 20

/**
 * The message with the lines of each ranged mention behind it. A mention without a range stays as it is: the agent
 * packs files that a task names. What cannot be shown (outside of the root, binary, no such lines) is told in `problems`;
 * pictures are given as absolute paths, for the agent to show them.
 */
export async function withRanges(
  text: string,
  root: string,
): Promise<{ text: string; problems: string[]; pictures: string[] }> {
  const parts: string[] = []
  const problems: string[] = []
  const pictures: string[] = []
  for (const { path, from, to } of mentions(text)) {
    if (isPicture(path)) pictures.push(resolve(root, path.replace(/^~(?=\/)/, homedir())))
    if (from === undefined || to === undefined) continue
    const lines = await readLines(path, root)
    if (typeof lines === 'string') problems.push(`@${path}: ${lines}`)
    else if (from < 1 || to < from || from > lines.length)
      problems.push(`@${path}:${from}-${to}: the file has ${lines.length} lines`)
    else {
      const last = Math.min(to, lines.length)
      const numbered = lines.slice(from - 1, last).map((line, n) => `${from + n}\t${line}`)
      const fence = '`'.repeat(Math.max(3, ...numbered.map((line) => (/`{3,}/.exec(line)?.[0].length ?? 2) + 1)))
      parts.push(`${path}, lines ${from}-${last}:\n${fence}\n${numbered.join('\n')}\n${fence}`)
    }
  }
  return { text: parts.length === 0 ? text : `${text}\n\n${parts.join('\n\n')}`, problems, pictures }
}

/** The file's lines, or in words why not. */
async function readLines(path: string, root: string): Promise<string[] | string> {
  try {
    const whole = await realpath(resolve(root, path))
    const inside = relative(await realpath(root), whole)
    if (inside.startsWith('..') || isAbsolute(inside)) return 'outside of this folder'
    const found = await stat(whole)
    if (!found.isFile()) return 'not a file'
    if (found.size > mostBytes) return 'too large to quote; name it without lines'
    const bytes = await readFile(whole)
    if (bytes.subarray(0, 8000).includes(0)) return 'a binary file'
    return bytes.toString('utf8').replace(/\n$/, '').split(/\r?\n/)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : String((error as Error).message)
  }
}
