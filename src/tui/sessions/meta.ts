/** What a person gave to a session, beside its log: a title, the branch it began on, where it was forked from. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import * as z from 'zod'

const meta = z.object({ title: z.string().optional(), branch: z.string().optional(), parent: z.string().optional() })

export type SessionMeta = z.infer<typeof meta>

const fileOf = (logFile: string): string => logFile.replace(/\.jsonl$/, '.meta.json')

/** Empty when there is none, or none that can be read: it is a convenience. */
export async function readMeta(logFile: string): Promise<SessionMeta> {
  try {
    return meta.parse(JSON.parse(await readFile(fileOf(logFile), 'utf8')))
  } catch {
    return {} // not named yet
  }
}

export async function writeMeta(logFile: string, given: SessionMeta): Promise<void> {
  const file = fileOf(logFile)
  await writeFile(`${file}.new`, JSON.stringify(given), { mode: 0o600 })
  await rename(`${file}.new`, file)
}
