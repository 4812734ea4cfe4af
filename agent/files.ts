/** Which files a work tree has, as its owner sees it: tracked ones, and others that no ignore file leaves out. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { hostGit } from '../sandbox/index.ts'

const run = promisify(execFile)
const maxBuffer = 256 * 1024 * 1024
/** A pipe by the name of an ignore file would be waited for. */
const patienceMs = 60_000

/**
 * Paths relative to `root`, with `/`, sorted by code unit; links and vanished files may be among them. In a git
 * repository (or a subfolder of one) git says it, elsewhere ripgrep, which knows the same ignore files. The user's
 * global ignore file does not count, so that the same tree gives the same list on every machine.
 */
export async function listFiles(root: string): Promise<string[]> {
  const listed = (await gitFiles(root)) ?? (await ripgrepFiles(root))
  return [...new Set(listed)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

/**
 * The files as git lists them. `own`: settings of the environment that make it another repository than the folder's.
 * Undefined outside of a repository, without git, or where git refuses the folder (another owner's).
 */
export async function gitFiles(
  root: string,
  own: Readonly<Record<string, string>> = {},
): Promise<string[] | undefined> {
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  try {
    const stdout = await hostGit(root, words, { env: own, withoutUserIgnores: true })
    return stdout.split('\0').filter((path) => path !== '')
  } catch {
    // Every reason has the same answer: ask ripgrep.
    return undefined
  }
}

async function ripgrepFiles(root: string): Promise<string[]> {
  const args = ['--files', '--null', '--hidden', '--no-require-git', '--no-ignore-global', '--no-config']
  return (await ripgrep(root, [...args, '--glob', '!.git', './'])).split('\0').flatMap((path) => {
    const plain = path.replace(/^\.\//, '')
    return plain === '' ? [] : [plain]
  })
}

/** ripgrep's output. It exits 1 when it found nothing and 2 when it could not read everything: both are answers. */
export async function ripgrep(root: string, args: readonly string[]): Promise<string> {
  const { rgPath } = await import('@vscode/ripgrep')
  try {
    return (await run(rgPath, args, { cwd: root, maxBuffer, timeout: patienceMs })).stdout
  } catch (error) {
    const { code, stdout } = error as { code?: unknown; stdout?: unknown }
    if ((code === 1 || code === 2) && typeof stdout === 'string') return stdout
    throw error
  }
}
