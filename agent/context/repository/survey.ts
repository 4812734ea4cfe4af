/** Looks at every file of a work tree by name and size, without reading it. */
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { listFiles } from '../../files.ts'
import { isSecret } from '../secrets.ts'
import { bigFile, type Reason, rankOf, reasonByName } from './classify.ts'
import { readHeat } from './heat.ts'
import { notIgnored } from './ignored.ts'

export interface Surveyed {
  readonly path: string
  readonly bytes: number
  readonly heat: number
  /** Less is read first. */
  readonly rank: number
  /** Why it is not to be shown whole, as far as its name and size tell. */
  readonly reason: Reason | undefined
}

/** At a time: enough to keep the disk busy, few enough for the limit on open files. */
const atOnce = 64

/** The files in the order of their paths. */
export async function surveyTree(root: string): Promise<Surveyed[]> {
  const [tree, heat] = await Promise.all([listFiles(root), readHeat(root)])
  const wanted = await notIgnored(root, tree)
  const surveyed: Surveyed[] = []
  for (let at = 0; at < tree.length; at += atOnce) {
    const some = tree.slice(at, at + atOnce).map(async (path): Promise<Surveyed | undefined> => {
      const status = await lstat(join(root, path)).catch(() => undefined) // gone since it was listed
      if (status === undefined) return undefined
      const kind = status.isDirectory() ? 'submodule' : 'link'
      const reason = status.isFile() ? reasonOf(path, status.size, wanted) : kind
      return { path, bytes: status.size, heat: heat.get(path) ?? 0, rank: rankOf(path), reason }
    })
    for (const one of await Promise.all(some)) if (one !== undefined) surveyed.push(one)
  }
  return surveyed
}

function reasonOf(path: string, bytes: number, wanted: ReadonlySet<string>): Reason | undefined {
  if (isSecret(path)) return 'secret'
  if (!wanted.has(path)) return 'ignored'
  if (bytes === 0) return 'empty'
  return reasonByName(path) ?? (bytes > bigFile ? 'big' : undefined)
}
