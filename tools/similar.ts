/** Finds what a wrong path or name was meant to be. */
import { basename } from 'node:path/posix'
import { distance } from 'fastest-levenshtein'
import type { Workspace } from '../sandbox/index.ts'
import { listFiles } from './ripgrep.ts'

/** The names most like `name`, best first: at most `count`, and none that shares less than half with it. */
export function nearestNames(name: string, names: readonly string[], count = 1): string[] {
  return names
    .map((other) => ({ other, away: distance(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ other, away }) => away * 2 <= Math.max(name.length, other.length))
    .sort((a, b) => a.away - b.away)
    .slice(0, count)
    .map(({ other }) => other)
}

const seconds = 3
const maxPaths = 20_000

/** Paths of files in the work tree that a wrong path may have meant: same name elsewhere first, then similar names. */
export async function similarPaths(workspace: Workspace, path: string): Promise<string[]> {
  const listed = await listFiles({ cwd: workspace.root, path: '.', signal: AbortSignal.timeout(seconds * 1000) })
  if (!listed.ok) return []
  const files = listed.files.slice(0, maxPaths)
  const name = basename(path).toLowerCase()
  const same = files.filter((file) => basename(file).toLowerCase() === name)
  if (same.length > 0) return same.slice(0, 3)
  const names = nearestNames(name, [...new Set(files.map((file) => basename(file)))], 3)
  return names.flatMap((other) => files.find((file) => basename(file) === other) ?? [])
}
