/** What git leaves on the disk when it could not keep a record. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Removes the half pack that git's own words name, and the report of its crash, and rejects with the error: on a full disk
 * they are what fills it, and the change that this turn is about would find no room for its journal. Of other
 * processes nothing is touched.
 */
export async function removeLeftovers(repository: string, error: unknown, pid: number | undefined): Promise<never> {
  const pack = /\btmp_pack_\w+/.exec(error instanceof Error ? error.message : '')?.[0]
  const files = [
    ...(pack === undefined ? [] : [join(repository, 'objects', 'pack', pack)]),
    ...(pid === undefined ? [] : [join(repository, `fast_import_crash_${pid}`)]),
  ]
  // What cannot be removed stays: that the record failed is told in any case.
  await Promise.allSettled(files.map((file) => rm(file, { force: true })))
  throw error
}
