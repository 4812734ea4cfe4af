/** Unified diffs, as `diff -u` and git write them and as models remember them: the counts in @@ lines are not trusted. */
import { parsePatch } from 'diff'
import { HunkBuilder } from './hunk-builder.ts'
import { type FileOperation, type Hunk, PatchError } from './types.ts'

const range = /^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@/

interface FileDiff {
  from: string
  to: string
  readonly hunks: HunkBuilder[]
}

/** Throws PatchError. Lines before the first `---` (git's own headers) are passed over. */
export function parseUnified(text: string): FileOperation[] {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  if (lines.at(-1) === '') lines.pop()
  const files: FileDiff[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    const file = files.at(-1)
    if (/^--- /.test(line) && /^\+\+\+ /.test(lines[at + 1] ?? '')) {
      files.push({ from: pathOf(line), to: pathOf(lines[at + 1]!), hunks: [] })
      at += 1
    } else if (
      /^diff --git |^index [0-9a-f]|^(new|deleted) file mode |^(old|new) mode |^similarity index /.test(line)
    ) {
      // git's own lines around a file: they say nothing that --- and +++ do not.
    } else if (file && line.startsWith('@@')) {
      const hunk = new HunkBuilder()
      const first = range.exec(line)?.[1]
      if (first !== undefined) hunk.line = Number(first)
      file.hunks.push(hunk)
    } else if (file && /^```\s*$/.test(line)) {
      // The fence that the diff was written in.
    } else if (file?.hunks.length) {
      if (!file.hunks.at(-1)!.push(line)) {
        throw new PatchError(
          `A line of the diff begins with none of space, - and +: ${JSON.stringify(line.slice(0, 100))}`,
        )
      }
    }
  }
  if (files.length === 0) throw new PatchError('The diff names no file: it needs --- PATH and +++ PATH lines.')
  return files.map(fileOperation)
}

function fileOperation({ from, to, hunks: builders }: FileDiff): FileOperation {
  const hunks = builders.filter((hunk) => !hunk.empty).map((hunk) => hunk.build())
  if (from === '/dev/null') return { kind: 'add', path: stripPrefix(to, 'b/'), text: addedText(hunks) }
  if (to === '/dev/null') return { kind: 'delete', path: stripPrefix(from, 'a/') }
  const path = stripPrefix(from, 'a/')
  const target = stripPrefix(to, 'b/')
  if (hunks.length === 0 && path === target) throw new PatchError(`The diff of ${path} has no hunk.`)
  return { kind: 'update', path, moveTo: target === path ? undefined : target, hunks }
}

function addedText(hunks: readonly Hunk[]): string {
  const text = hunks.flatMap((hunk) => hunk.next.map((line) => `${line}\n`)).join('')
  return hunks.at(-1)?.finalNewline === false ? text.slice(0, -1) : text
}

/**
 * A patch of several files taken apart: the diff of each, by the path it has before, or, of a new file, after. Parts
 * that are no diff are left out.
 */
export const diffsByPath = (patch: string): ReadonlyMap<string, string> =>
  new Map(
    patch.split(/^(?=--- .*\n\+\+\+ )/m).flatMap((part) => {
      const [from = '', to = ''] = part.split('\n', 2)
      if (!from.startsWith('--- ')) return []
      const before = pathOf(from)
      const path = before === '/dev/null' ? stripPrefix(pathOf(to), 'b/') : stripPrefix(before, 'a/')
      return [[path, part] as const]
    }),
  )

/**
 * The path of a `---` or `+++` line: without the time that diff writes after a tab, and without the quotes and escapes
 * with which git writes a name that is not plain ASCII (core.quotePath). What only looks quoted is taken as it stands.
 */
function pathOf(line: string): string {
  const path = line.slice(4).split('\t')[0]!.trim()
  if (!/^".+"$/.test(path)) return path
  const name = parsePatch(`--- ${path}\n+++ ${path}\n`)[0]?.oldFileName
  return name === undefined || name === path ? path.slice(1, -1) : name
}

const stripPrefix = (path: string, prefix: string): string =>
  path.startsWith(prefix) ? path.slice(prefix.length) : path
