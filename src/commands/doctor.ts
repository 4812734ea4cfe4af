/** `cachalot doctor`: what of this program works on this machine, and what does not. */
import { statfsSync } from 'node:fs'
import {
  type Device,
  EngineError,
  findLibraryFolder,
  listDevices,
  type Machine,
  type ModelPlan,
  measureBandwidth,
  planFor,
  readMachine,
} from '../../engine/index.ts'
import { diagnoseSandbox, type SandboxProblem, type SandboxReport } from '../../sandbox/index.ts'
import { preferFetchedLibraries } from '../gpu/libraries.ts'
import { bytesText } from '../model/bytes.ts'
import { modelFolders } from '../model/context.ts'
import { ladderTable, largestFit } from '../model/ladder.ts'
import { describeModels, type Listed } from '../model/list.ts'
import { planLines } from '../model/plan-text.ts'
import { type Paths, resolvePaths } from '../paths.ts'
import { safeJson, sanitizeLine } from '../terminal/sanitize.ts'
import { version } from '../version.ts'

/** What `--json` prints. Sizes in bytes. */
interface DoctorReport {
  /** Whether commands of the model can run and the embedded engine can. */
  readonly ok: boolean
  readonly version: string
  readonly node: string
  readonly platform: string
  readonly sandbox: Pick<SandboxReport, 'backend' | 'lines'> & { readonly problem: SandboxProblem | null }
  readonly engine: { readonly library: string | null; readonly problem: string | null }
  readonly machine: Machine & {
    readonly devices: readonly Device[]
    /** Bytes a second that all cores together read from memory; null where it was not measured. */
    readonly bandwidth: number | null
  }
  /** Those on disk; `plan` is null for a file that cannot be read. */
  readonly models: readonly (Listed & { readonly plan: ModelPlan | null })[]
  /** The others of the catalog. */
  readonly more: readonly Listed[]
  readonly paths: Paths
  /** Free disk space where models are kept; null where that cannot be told. */
  readonly freeBytes: number | null
}

export interface DoctorFlags {
  readonly json?: boolean
  readonly apparmor?: boolean
  readonly quick?: boolean
}

/** Prints the report and gives the exit code: 0 all works, 1 something does not. `--apparmor` prints the profile alone. */
export async function doctorCommand(flags: DoctorFlags): Promise<number> {
  const sandbox = await diagnoseSandbox()
  if (flags.apparmor === true) {
    process.stdout.write(sandbox.appArmorProfile)
    return 0
  }
  const report = await look(sandbox, flags.quick === true)
  const text = flags.json === true ? `${safeJson(report)}\n` : `${reportLines(report).map(sanitizeLine).join('\n')}\n`
  process.stdout.write(text)
  return report.ok ? 0 : 1
}

async function look({ backend, problem, lines }: SandboxReport, quick: boolean): Promise<DoctorReport> {
  const paths = resolvePaths()
  preferFetchedLibraries(paths)
  const engine = engineReport()
  const machine = await lookAtMachine(engine.problem === null, quick)
  const all = await describeModels(modelFolders(paths), paths)
  return {
    ok: problem === undefined && engine.problem === null,
    version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    sandbox: { backend, problem: problem ?? null, lines },
    engine,
    machine,
    models: await plannedModels(all, machine),
    more: all.filter((model) => !model.onDisk && model.origin === 'catalog'),
    paths,
    freeBytes: freeBytes(paths.data),
  }
}

async function lookAtMachine(works: boolean, quick: boolean): Promise<DoctorReport['machine']> {
  const memory = await readMachine()
  if (!works) return { ...memory, devices: [], bandwidth: null }
  const devices = await listDevices()
  if (quick) return { ...memory, devices, bandwidth: null }
  const watched = process.stderr.isTTY
  if (watched) process.stderr.write('measuring how fast memory is read (3 s) …')
  const bandwidth = await measureBandwidth()
  if (watched) process.stderr.write('\r\u001b[K')
  return { ...memory, devices, bandwidth }
}

async function plannedModels(
  all: readonly Listed[],
  machine: DoctorReport['machine'],
): Promise<DoctorReport['models']> {
  const listed = all.filter((model) => model.onDisk)
  const options = machine.bandwidth === null ? {} : { bandwidth: machine.bandwidth }
  return await Promise.all(
    listed.map(async (model) => {
      const plan = model.file === undefined ? null : await planFor(model.file, machine, options).catch(unreadable)
      return { ...model, plan }
    }),
  )
}

/** A file that is no model is told as such; anything else is a fault of ours. */
function unreadable(error: unknown): null {
  if (error instanceof EngineError) return null
  throw error
}

function engineReport(): DoctorReport['engine'] {
  try {
    return { library: findLibraryFolder(), problem: null }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    return { library: null, problem: error.message }
  }
}

/** Of the nearest folder that is there: our own may not be made yet. */
function freeBytes(folder: string): number | null {
  for (let path = folder; ; path = path.slice(0, path.lastIndexOf('/'))) {
    try {
      const { bavail, bsize } = statfsSync(path === '' ? '/' : path)
      return bavail * bsize
    } catch {
      // Not there: the folder above it holds the same disk, or there is none to ask.
      if (!path.includes('/')) return null
    }
  }
}

function reportLines(report: DoctorReport): string[] {
  const { sandbox, engine, machine, models, paths } = report
  return [
    `cachalot ${report.version}, Node ${report.node}, ${report.platform}`,
    '',
    `Sandbox: ${sandbox.problem === null ? `${sandbox.backend}, works` : 'commands cannot run here'}`,
    ...(sandbox.problem === null ? [] : [`  ${sandbox.problem.message}`]),
    ...sandbox.lines.map((line) => `  ${line}`),
    '',
    `Engine: ${engine.library ?? engine.problem ?? 'not found'}`,
    ...machineLines(machine).map((line) => `  ${line}`),
    '',
    `Models on this machine: ${models.length === 0 ? 'none; the first run fetches one, or: cachalot model pull' : ''}`.trimEnd(),
    ...models.flatMap(({ used, name, plan }) => [
      `  ${used ? '*' : ' '} ${name}${plan === null ? ': not readable' : ''}`,
      ...(plan === null ? [] : planLines(plan).map((line) => `      ${line}`)),
    ]),
    ...(report.more.length === 0 ? [] : ['', 'Models to fetch (cachalot model pull):', ...ladderTable(report.more)]),
    ...largestFit([...models, ...report.more])
      .slice(2)
      .map((line) => `  ${line}`),
    ...(report.freeBytes === null ? [] : [`  ${bytesText(report.freeBytes)} of disk free for more`]),
    '',
    'Folders:',
    ...Object.entries(paths).map(([name, path]) => `  ${name.padEnd(6)} ${path}`),
    '',
    report.ok ? 'Everything that is needed works.' : 'Not everything works: see above.',
  ]
}

function machineLines({ totalBytes, availableBytes, devices, bandwidth }: DoctorReport['machine']): string[] {
  const speed = bandwidth === null ? '' : `; read at ${bytesText(bandwidth)}/s`
  return [
    `memory: ${bytesText(availableBytes)} free of ${bytesText(totalBytes)}${speed}`,
    ...devices.map(
      ({ kind, name, description, freeBytes, totalBytes: all }) =>
        `${kind}: ${description || name}${kind === 'cpu' ? '' : `, ${bytesText(freeBytes)} free of ${bytesText(all)}`}`,
    ),
  ]
}
