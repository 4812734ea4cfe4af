/** The log of a session, as a person names it. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { listSessions } from '../../agent/index.ts'
import { resolvePaths } from '../paths.ts'
import { UsageError } from '../usage-error.ts'
import { workTree } from '../work-tree.ts'

/**
 * `wanted`: the id of a session of any folder, the beginning of one, `last` (the last one of this folder), or the path of
 * a log. Throws UsageError when there is none, or more than one.
 */
export async function findLog(wanted: string, cwd: string | undefined): Promise<string> {
  if (wanted.includes('/') || wanted.endsWith('.jsonl')) {
    const file = resolve(wanted)
    if (!existsSync(file)) throw new UsageError(`there is no session log ${file}`)
    return file
  }
  const { state } = resolvePaths()
  const folder = workTree(cwd)
  const most = Number.MAX_SAFE_INTEGER
  const sessions = await listSessions(state, wanted === 'last' ? { cwd: folder, most: 1 } : { most })
  const found = wanted === 'last' ? sessions : sessions.filter(({ id }) => id.startsWith(wanted))
  const [first] = found
  if (first === undefined) {
    throw new UsageError(wanted === 'last' ? `there is no session of ${folder}` : `there is no session ${wanted}`)
  }
  if (found.length > 1) {
    throw new UsageError(`${found.length} sessions begin with ${wanted}: ${found.map(({ id }) => id).join(', ')}`)
  }
  return first.file
}
