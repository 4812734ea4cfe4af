/** `cachalot model show`: one model before it is loaded — where it is, how it is spoken to, what it takes. */
import {
  dialectOf,
  dialects,
  findModel,
  isModelPath,
  type ModelPlan,
  planFor,
  readMachine,
  resolveModel,
  type StoredModel,
  unknownModel,
} from '../../engine/index.ts'
import { safeJson, sanitizeLine } from '../terminal/sanitize.ts'
import { bytesText } from './bytes.ts'
import { modelCommand, modelInUse } from './context.ts'
import { type ContextNeed, ladderTable, needsOfEntry } from './ladder.ts'
import { planLines } from './plan-text.ts'

/** What `--json` prints. Sizes in bytes. */
interface Shown {
  readonly name: string
  readonly bytes: number
  /** Null while it is not on this machine. */
  readonly file: string | null
  readonly architecture: string
  readonly dialect: string
  /** Levels of `--effort`; none where the model has one way only. */
  readonly efforts: readonly string[]
  readonly contextTokens: number
  /** Of a file, from its header. */
  readonly plan: ModelPlan | null
  /** Of a model of the catalog that is not here. */
  readonly contexts: readonly ContextNeed[] | null
}

export interface ShowFlags {
  readonly json?: boolean
  readonly dialect?: string
}

/** Prints it. Exit code 1 for a file that cannot be used, with the reason; UsageError for a name that nothing has. */
export function showCommand(wanted: string | undefined, flags: ShowFlags): Promise<number> {
  return modelCommand(async ({ paths, folders }) => {
    const what = wanted ?? modelInUse(paths)
    const stored = isModelPath(what) ? undefined : await findModel(what, folders)
    if (stored === undefined && !isModelPath(what)) throw await unknownModel(what, folders)
    const machine = await readMachine()
    const shown =
      stored?.entry !== undefined && !stored.onDisk
        ? ofEntry(stored.entry, needsOfEntry(stored.entry, machine))
        : await ofFile(stored?.name ?? what)
    const lines = flags.json === true ? [safeJson(shown)] : linesOf(shown).map(sanitizeLine)
    process.stdout.write(`${lines.join('\n')}\n`)
    return 0

    async function ofFile(name: string): Promise<Shown> {
      const resolved = await resolveModel(name, folders, { dialect: flags.dialect })
      // A template that cannot be used is told here, not with the first task.
      await dialectOf(resolved, {})
      const { bytes, file, traits } = resolved
      const { architecture, dialect, contextTokens } = traits
      const plan = await planFor(file, machine)
      return {
        name,
        bytes,
        file,
        architecture,
        dialect,
        efforts: effortsOf(dialect),
        contextTokens,
        plan,
        contexts: null,
      }
    }
  })
}

function ofEntry(entry: NonNullable<StoredModel['entry']>, contexts: readonly ContextNeed[]): Shown {
  const { name, bytes, architecture, dialect, contextTokens } = entry
  return {
    name,
    bytes,
    file: null,
    architecture,
    dialect,
    efforts: effortsOf(dialect),
    contextTokens,
    plan: null,
    contexts,
  }
}

function effortsOf(dialect: string): readonly string[] {
  const levels = Object.hasOwn(dialects, dialect) ? (dialects[dialect]?.levels ?? []) : []
  return levels.length === 1 ? [] : levels
}

function linesOf({
  name,
  bytes,
  file,
  architecture,
  dialect,
  efforts,
  contextTokens,
  plan,
  contexts,
}: Shown): string[] {
  return [
    `${name}, ${bytesText(bytes)}`,
    `  file      ${file ?? `not on this machine: cachalot model pull ${name}`}`,
    `  made as   ${architecture}, for ${contextTokens.toLocaleString('en')} tokens of context`,
    `  dialect   ${dialect}${dialect === 'template' ? " (the file's own chat template)" : ''}   (other: --dialect)`,
    ...(efforts.length === 0 ? [] : [`  effort    ${efforts.join(', ')}   (--effort)`]),
    '',
    ...(plan === null ? [] : planLines(plan).map((line) => `  ${line}`)),
    ...(contexts === null ? [] : ladderTable([{ name, contexts }])),
  ]
}
