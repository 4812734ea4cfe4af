/** `cachalot doctor`: what of this program works on this machine, and what does not. */
import { statfsSync } from 'node:fs'
import { EngineError, findLibraryFolder } from '../../engine/index.ts'
import { diagnoseSandbox, type SandboxProblem, type SandboxReport } from '../../sandbox/index.ts'
import { bytesText } from '../model/bytes.ts'
import { modelFolders } from '../model/context.ts'
import { fitText } from '../model/fit-text.ts'
import { describeModels, type Listed } from '../model/list.ts'
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
  readonly models: readonly Listed[]
  readonly paths: Paths
  /** Free disk space where models are kept; null where that cannot be told. */
  readonly freeBytes: number | null
}

/** Prints the report and gives the exit code: 0 all works, 1 something does not. `--apparmor` prints the profile alone. */
export async function doctorCommand(flags: { readonly json?: boolean; readonly apparmor?: boolean }): Promise<number> {
  const sandbox = await diagnoseSandbox()
  if (flags.apparmor === true) {
    process.stdout.write(sandbox.appArmorProfile)
    return 0
  }
  const report = await look(sandbox)
  const text = flags.json === true ? `${safeJson(report)}\n` : `${reportLines(report).map(sanitizeLine).join('\n')}\n`
  process.stdout.write(text)
  return report.ok ? 0 : 1
}

async function look({ backend, problem, lines }: SandboxReport): Promise<DoctorReport> {
  const paths = resolvePaths()
  const engine = engineReport()
  return {
    ok: problem === undefined && engine.problem === null,
    version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    sandbox: { backend, problem: problem ?? null, lines },
    engine,
    models: (await describeModels(modelFolders(paths), paths)).filter((model) => model.onDisk),
    paths,
    freeBytes: freeBytes(paths.data),
  }
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
  const { sandbox, engine, models, paths } = report
  return [
    `cachalot ${report.version}, Node ${report.node}, ${report.platform}`,
    '',
    `Sandbox: ${sandbox.problem === null ? `${sandbox.backend}, works` : 'commands cannot run here'}`,
    ...(sandbox.problem === null ? [] : [`  ${sandbox.problem.message}`]),
    ...sandbox.lines.map((line) => `  ${line}`),
    '',
    `Engine: ${engine.library ?? engine.problem ?? 'not found'}`,
    '',
    `Models on this machine: ${models.length === 0 ? 'none; the first run fetches one, or: cachalot model pull' : ''}`.trimEnd(),
    ...models.map(
      (model) =>
        `  ${model.used ? '*' : ' '} ${model.name}, ${bytesText(model.bytes)}, fits: ${model.fits === undefined ? 'not readable' : fitText(model.fits)}`,
    ),
    ...(report.freeBytes === null ? [] : [`  ${bytesText(report.freeBytes)} of disk free for more`]),
    '',
    'Folders:',
    ...Object.entries(paths).map(([name, path]) => `  ${name.padEnd(6)} ${path}`),
    '',
    report.ok ? 'Everything that is needed works.' : 'Not everything works: see above.',
  ]
}
