/** Runs ripgrep, which reads files and runs nothing: no shell, no configuration, a clean environment, never stdin. */
/** Bytes of output that are kept; a search that gives more is too wide to be read. */
const maxOutput = 4_000_000

export type RipgrepRun =
  | { readonly ok: true; readonly output: string; readonly cut: 'no' | 'output' | 'time' }
  | { readonly ok: false; readonly reason: 'missing' | 'failed' | 'aborted'; readonly message: string }

export interface RipgrepOptions {
  /** Absolute folder to run in. */
  readonly cwd: string
  readonly signal: AbortSignal
  readonly seconds?: number
}

/** Resolves for everything that ripgrep does. Exit code 1 (nothing found) is an empty output. */
export async function ripgrep(args: readonly string[], options: RipgrepOptions): Promise<RipgrepRun> {
  const path = await ripgrepPath()
  if (!path) {
    return {
      ok: false,
      reason: 'missing',
      message: `ripgrep is not installed for ${process.platform}-${process.arch}: run npm install with optional dependencies, or use shell with grep -rn.`,
    }
  }
  const { execa } = await import('execa')
  const run = await execa(path, ['--no-config', '--color=never', ...args], {
    cwd: options.cwd,
    stdin: 'ignore',
    env: cleanEnvironment(),
    extendEnv: false,
    reject: false,
    maxBuffer: maxOutput,
    timeout: (options.seconds ?? 20) * 1000,
    cancelSignal: options.signal,
    stripFinalNewline: false,
  })
  const output = run.stdout
  if (run.isCanceled) return { ok: false, reason: 'aborted', message: 'Stopped.' }
  if (run.timedOut) return { ok: true, output, cut: 'time' }
  if (run.isMaxBuffer) return { ok: true, output, cut: 'output' }
  // Exit code 2 with output: some files could not be read, the rest was searched.
  if (run.exitCode === 0 || run.exitCode === 1 || (run.exitCode === 2 && output !== ''))
    return { ok: true, output, cut: 'no' }
  return { ok: false, reason: 'failed', message: run.stderr.trim() || run.shortMessage || 'ripgrep failed.' }
}

export type FileList =
  | { readonly ok: true; readonly files: readonly string[]; readonly cut: boolean }
  | { readonly ok: false; readonly reason: 'missing' | 'failed' | 'aborted'; readonly message: string }

/** Files below `path` that git would not ignore, relative to `cwd`, sorted. Hidden files count, `.git` does not. */
export async function listFiles(options: RipgrepOptions & { readonly path: string }): Promise<FileList> {
  const args = ['--files', '--null', ...visibleFiles, '--', `./${options.path}`]
  const run = await ripgrep(args, options)
  if (!run.ok) return run
  const names = run.output.split('\0')
  // What stands after the last NUL is nothing, or a name cut short.
  names.pop()
  const files = names.map((name) => name.replace(/^(?:\.\/)+/, ''))
  return { ok: true, files: files.sort(byPath), cut: run.cut !== 'no' }
}

/** Which files count: hidden ones too, what .gitignore names not (also where there is no git), `.git` never. */
export const visibleFiles = ['--hidden', '--no-require-git', '--glob=!.git'] as const

const byPath = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

let found: Promise<string | undefined> | undefined

/** Absolute path of the binary; undefined where its package for this platform is not installed. */
function ripgrepPath(): Promise<string | undefined> {
  found ??= import('@vscode/ripgrep').then(
    ({ rgPath }) => rgPath,
    // The package throws when it has no binary for this platform.
    () => undefined,
  )
  return found
}

function cleanEnvironment(): Record<string, string> {
  const kept: Record<string, string> = { LANG: 'C.UTF-8' }
  // For the user's own ignore file of git.
  for (const name of ['HOME', 'XDG_CONFIG_HOME']) {
    const value = process.env[name]
    if (value) kept[name] = value
  }
  return kept
}
