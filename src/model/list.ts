/** `cachalot model list`. */
import {
  defaultModelName,
  type Fit,
  fits,
  listModels,
  type Machine,
  type ModelFolders,
  memoryOfHeader,
  metaString,
  planFor,
  readGgufHeader,
  readMachine,
  type StoredModel,
  usualContextTokens,
} from '../../engine/index.ts'
import type { Paths } from '../paths.ts'
import { safeJson, sanitizeLine } from '../terminal/sanitize.ts'
import { bytesText } from './bytes.ts'
import { modelCommand, modelInUse } from './context.ts'
import { fitCell } from './fit-text.ts'
import { type ContextNeed, ladderTable, largestFit, needsOfEntry, needsOfPlan } from './ladder.ts'
import { table } from './table.ts'

/** One model as `--json` shows it. Sizes in bytes. */
export interface Listed {
  readonly name: string
  readonly title: string
  readonly bytes: number
  readonly onDisk: boolean
  /** Where the file is; absent while it is not here. */
  readonly file?: string
  /** What an unfinished download left. */
  readonly partBytes: number
  readonly licence: string
  readonly origin: 'catalog' | 'hub' | 'own'
  readonly default: boolean
  readonly used: boolean
  /** Absent for a file that cannot be read. */
  readonly fits?: Fit
  /** What it takes at 32k, 128k, 256k and 1M of context, as far as it was made for them; none for a file that cannot be read. */
  readonly contexts: readonly ContextNeed[]
}

/** Prints the models as a table, or as one JSON array. */
export function listCommand(flags: { readonly json?: boolean }): Promise<number> {
  return modelCommand(async ({ paths, folders }) => {
    const listed = await describeModels(folders, paths)
    if (flags.json === true) {
      process.stdout.write(`${safeJson(listed)}\n`)
      return 0
    }
    const lines = [...listTable(listed), '', ...ladderTable(listed), ...largestFit(listed)]
    for (const line of lines) process.stdout.write(`${sanitizeLine(line)}\n`)
    if (!listed.some((model) => model.used)) process.stdout.write(`\nIn use: ${sanitizeLine(modelInUse(paths))}\n`)
    return 0
  })
}

/** Every model that is known here. */
export async function describeModels(folders: ModelFolders, paths: Paths): Promise<Listed[]> {
  const [machine, models] = await Promise.all([readMachine(), listModels(folders)])
  const used = modelInUse(paths)
  return await Promise.all(models.map((model) => describeModel(model, machine, used)))
}

async function describeModel(model: StoredModel, machine: Machine, used: string): Promise<Listed> {
  const { entry, record } = model
  const own = entry === undefined ? await describeFile(model.file, machine) : undefined
  const fit = entry === undefined ? own?.fit : fits(machine, entry, usualContextTokens)
  return {
    name: model.name,
    title: entry?.title ?? own?.title ?? model.name,
    bytes: entry?.bytes ?? record?.bytes ?? 0,
    onDisk: model.onDisk,
    ...(model.onDisk ? { file: model.file } : {}),
    partBytes: model.partBytes,
    licence: entry?.licence ?? own?.licence ?? 'unknown',
    origin: record?.owner ?? 'catalog',
    default: model.name === defaultModelName,
    used: model.name === used.toLowerCase(),
    ...(fit === undefined ? {} : { fits: fit }),
    contexts: entry === undefined ? (own?.contexts ?? []) : needsOfEntry(entry, machine),
  }
}

/** Undefined for a file that is gone or broken: the list shows that, and the rest. */
async function describeFile(
  file: string,
  machine: Machine,
): Promise<{ title?: string; licence?: string; fit: Fit; contexts: readonly ContextNeed[] } | undefined> {
  const header = await readGgufHeader(file).catch(() => undefined)
  const plan = header && (await planFor(file, machine).catch(() => undefined))
  if (header === undefined || plan === undefined) return undefined
  const model = { bytes: header.fileBytes, memory: memoryOfHeader(header) }
  const [title, licence] = [metaString(header, 'general.name'), metaString(header, 'general.license')]
  return {
    ...(title !== undefined && { title }),
    ...(licence !== undefined && { licence }),
    fit: fits(machine, model, usualContextTokens),
    contexts: needsOfPlan(plan),
  }
}

/** `*` marks the model in use. */
function listTable(models: readonly Listed[]): string[] {
  const rows = models.map((model) => [
    model.used ? '*' : ' ',
    model.name,
    bytesText(model.bytes),
    place(model),
    model.fits === undefined ? 'not readable' : fitCell(model.fits),
    model.licence,
    model.default ? 'default' : '',
  ])
  return table([[' ', 'model', 'size', 'here', 'fits this machine', 'licence', ''], ...rows])
}

function place(model: Listed): string {
  if (model.onDisk) return model.origin === 'own' ? 'yours' : 'yes'
  if (model.origin !== 'catalog') return 'gone'
  return model.partBytes > 0 ? `${Math.floor((model.partBytes / model.bytes) * 100)}%` : 'no'
}
