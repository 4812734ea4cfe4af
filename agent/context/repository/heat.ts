/** How often files change, by git: what changes seldom comes first in the context, so that its reading stays good. */
import { hostGit } from '../../../sandbox/index.ts'

/** History that is looked at. */
const commits = 400
/** Files that differ from the last commit, or are in none. */
export const hottest = 99

/**
 * Path → heat: 0 for what did not change in the last commits, then one more for each doubling of its changes, so that a
 * single commit moves few files; `hottest` for what is not committed. Empty without git.
 */
export async function readHeat(root: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for (const path of await git(root, [
    'log',
    `-${commits}`,
    '--no-show-signature',
    '--no-renames',
    '--relative',
    '--format=',
    '--name-only',
    '-z',
  ]))
    counts.set(path, (counts.get(path) ?? 0) + 1)
  const heat = new Map([...counts].map(([path, count]) => [path, Math.floor(Math.log2(count)) + 1]))
  for (const path of await git(root, ['ls-files', '-z', '--modified', '--others', '--exclude-standard']))
    heat.set(path, hottest)
  return heat
}

/** Divided by NUL. Nothing outside of a repository, in an empty one, or where git refuses. */
async function git(root: string, args: readonly string[]): Promise<string[]> {
  // A repository's own configuration may name programs to run; GIT_* of a hook we run in names another one.
  try {
    const stdout = await hostGit(root, args, { withoutUserIgnores: true })
    return stdout.split('\0').flatMap((path) => (path.trim() === '' ? [] : [path.replace(/^\n/, '')]))
  } catch {
    // No history to go by: every file counts as equally cold.
    return []
  }
}
