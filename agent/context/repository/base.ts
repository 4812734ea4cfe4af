/**
 * The repository as it was packed last, kept on disk: a later session begins with the same bytes, whose reading is
 * saved, and is told what has changed since.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { RepositoryPlan } from './plan.ts'

/** Raised when a plan's text or shape changes, so that older ones are made anew. */
const format = 1

const planned = z.object({
  path: z.string(),
  state: z.enum(['whole', 'outlined', 'absent']),
  reason: z.string().optional(),
  bytes: z.number(),
  tokens: z.number(),
})
const stored = z.object({
  format: z.literal(format),
  budgetTokens: z.number(),
  plan: z.object({
    text: z.string(),
    tokens: z.number(),
    files: z.array(planned),
    whole: z.array(z.object({ path: z.string(), text: z.string(), fingerprint: z.string() })),
  }),
})

export interface Base {
  readonly budgetTokens: number
  readonly plan: RepositoryPlan
}

/** One for each work tree and vocabulary: `model` is the model's name, whose tokens the counts are of. */
const fileOf = (folder: string, root: string, model: string): string =>
  join(folder, `${createHash('sha256').update(`${root}\0${model}`).digest('hex').slice(0, 24)}.json`)

/** Undefined where there is none, or it is damaged or of another version: the repository is packed anew. */
export async function loadBase(folder: string, root: string, model: string): Promise<Base | undefined> {
  try {
    const parsed = stored.parse(JSON.parse(await readFile(fileOf(folder, root, model), 'utf8')))
    return { budgetTokens: parsed.budgetTokens, plan: parsed.plan as RepositoryPlan }
  } catch {
    return undefined
  }
}

/** Private to the user: it holds the text of files. */
export async function saveBase(folder: string, root: string, model: string, base: Base): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = fileOf(folder, root, model)
  const temporary = `${file}.${process.pid}.tmp`
  try {
    await writeFile(temporary, JSON.stringify({ format, ...base }), { mode: 0o600 })
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
