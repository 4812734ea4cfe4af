/**
 * The repository as it was packed last, kept on disk: a later session begins with the same bytes, whose reading is
 * saved, and is told what has changed since.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { TextMark } from '../../../engine/index.ts'
import type { RepositoryPlan } from './plan.ts'

/** Raised when a plan's text or shape, or what may be in it, changes, so that older ones are made anew. */
const format = 4

const planned = z.object({
  path: z.string(),
  state: z.enum(['whole', 'outlined', 'absent']),
  reason: z.string().optional(),
  bytes: z.number(),
  tokens: z.number(),
})
const stored = z.object({
  format: z.literal(format),
  /** The model's name. */
  model: z.string(),
  budgetTokens: z.number(),
  plan: z.object({
    text: z.string(),
    tokens: z.number(),
    files: z.array(planned),
    whole: z.array(z.object({ path: z.string(), text: z.string(), fingerprint: z.string() })),
  }),
  mark: z.object({ first: z.array(z.number()), digests: z.array(z.string()), tokens: z.number() }).optional(),
})

export interface Base {
  readonly budgetTokens: number
  readonly plan: RepositoryPlan
  /** By what readings of it are known; none where readings are not kept. */
  readonly mark?: TextMark | undefined
}

/** One for each work tree and vocabulary: `model` is the model's name, whose tokens the counts are of. */
const fileOf = (folder: string, root: string, model: string): string =>
  join(folder, `${createHash('sha256').update(`${root}\0${model}`).digest('hex').slice(0, 24)}.json`)

/** Other trees' bases that are looked at, the newest first. */
const mostOthers = 8

/**
 * The last packing of this work tree; where there is none, those of other trees by the same model (another clone, an
 * import): who compares them with the files finds out whether they are of any use. Damaged ones are left out.
 */
export async function loadBases(folder: string, root: string, model: string): Promise<Base[]> {
  const own = await loadFile(fileOf(folder, root, model), model)
  if (own !== undefined) return [own]
  const names = await namesIn(folder)
  const dated = names.map(async (name) => {
    const file = join(folder, name)
    return { file, time: (await stat(file).catch(() => undefined))?.mtimeMs ?? 0 }
  })
  const newest = (await Promise.all(dated)).sort((a, b) => b.time - a.time).slice(0, mostOthers)
  const others: Base[] = []
  for (const { file } of newest) {
    const base = await loadFile(file, model)
    if (base !== undefined) others.push(base)
  }
  return others
}

/** What lies in a folder under names of bases: the marks of those that can be used, and the names of the others. */
export async function surveyBases(
  folder: string,
): Promise<{ readonly marks: ReadonlyMap<string, TextMark | undefined>; readonly unusable: readonly string[] }> {
  const marks = new Map<string, TextMark | undefined>()
  const unusable: string[] = []
  for (const name of await namesIn(folder)) {
    const read = await readStored(join(folder, name))
    if (read === undefined) unusable.push(name)
    else marks.set(name, read.mark)
  }
  return { marks, unusable }
}

/** Plain files with names of ours; none for a folder that is not there. */
async function namesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return found.flatMap((one) => (one.isFile() && /^[0-9a-f]{24}\.json$/.test(one.name) ? [one.name] : [])).sort()
}

async function loadFile(file: string, model: string): Promise<Base | undefined> {
  const read = await readStored(file)
  return read?.model === model ? { budgetTokens: read.budgetTokens, plan: read.plan as RepositoryPlan } : undefined
}

async function readStored(file: string): Promise<z.infer<typeof stored> | undefined> {
  try {
    return stored.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    // None, damaged, or of another version: the repository is packed anew.
    return undefined
  }
}

/** Private to the user: it holds the text of files. */
export async function saveBase(folder: string, root: string, model: string, base: Base): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = fileOf(folder, root, model)
  const temporary = `${file}.${process.pid}.tmp`
  try {
    await writeFile(temporary, JSON.stringify({ format, model, ...base }), { mode: 0o600 })
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
