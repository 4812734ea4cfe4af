/** Git as we run it ourselves, outside of the box: nothing that a repository says makes it run a program. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/**
 * What a repository's own configuration could name to be run, or fetched. Given by `-c`, so that git hands it on to a git
 * that it starts in a submodule.
 */
const settings = [
  ...['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'core.sshCommand=false', 'core.quotePath=false'],
  ...['diff.external=', 'diff.ignoreSubmodules=all', 'submodule.recurse=false', 'protocol.allow=never'],
  ...['commit.gpgSign=false', 'tag.gpgSign=false', 'log.showSignature=false', 'gc.auto=0', 'maintenance.auto=false'],
  // A folder of the work tree that looks like a repository without a work tree is none of the user's.
  'safe.bareRepository=explicit',
].flatMap((setting) => ['-c', setting])

/** Variables of git that say who the user is and where the user's own settings lie; the others name another repository. */
const KEPT = /^GIT_(?:AUTHOR_|COMMITTER_|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM)$|CEILING_DIRECTORIES$|EXEC_PATH$)/

/** Verbs that look at no file of the work tree, and so apply no filter. */
const FILELESS = new Set([
  'rev-parse',
  'ls-tree',
  'log',
  'config',
  'update-ref',
  'commit-tree',
  'read-tree',
  'write-tree',
])

/** Bytes of output. */
const MAX_BUFFER = 1 << 28
/** A repository may hold a pipe where git reads settings or what to ignore: nobody waits for it. A checkout may be large. */
const SECONDS = 60
const CHECKOUT_SECONDS = 600

export interface HostGitOptions {
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Given to git as its standard input. */
  readonly input?: string
  /** What the user's settings say to ignore everywhere does not count: the same tree gives the same list on every machine. */
  readonly withoutUserIgnores?: boolean
}

/**
 * Runs git in a folder and gives its stdout. Rejects, with git's words in the message and its exit code as `code`, when it
 * ends otherwise than with 0. Paths among the words are literal. Filters (clean, smudge, process) that the repository itself
 * configures do not run: their files go through as they are; those of the user's own settings do run. Nothing is fetched,
 * no hook runs. Who asks for `status` or `diff` must give `--ignore-submodules=all`, or another repository's filters run.
 */
export async function hostGit(root: string, words: readonly string[], options: HostGitOptions = {}): Promise<string> {
  const { env = {}, input, withoutUserIgnores = false } = options
  const looksAtFiles = !FILELESS.has(words[0] ?? '') && (words[0] !== 'ls-files' || words.includes('--modified'))
  const filters = looksAtFiles ? await ownFilters(root, env) : []
  const silenced = filters.flatMap((name) =>
    ['clean=', 'smudge=', 'process=', 'required=false'].flatMap((setting) => ['-c', `filter.${name}.${setting}`]),
  )
  const ignores = withoutUserIgnores ? ['-c', 'core.excludesFile='] : []
  return run(root, [...silenced, ...ignores, ...words], env, input)
}

/**
 * Those of the paths (relative to the folder) whose bytes git would pass through a filter that the repository itself
 * configures: what hostGit writes or records of them is not what the user's own git would.
 */
export async function unfiltered(root: string, paths: readonly string[]): Promise<string[]> {
  const filters = new Set(await ownFilters(root, {}))
  if (filters.size === 0 || paths.length === 0) return []
  const told = (await hostGit(root, ['check-attr', '-z', '--stdin', 'filter'], { input: paths.join('\0') })).split('\0')
  // path NUL attribute NUL value NUL, see git-check-attr(1).
  return paths.filter((path) =>
    told.some((word, at) => at % 3 === 0 && word === path && filters.has(told[at + 2] ?? '')),
  )
}

/** Names of filters that stand in the repository's own configuration, or in what it includes. */
async function ownFilters(root: string, env: Readonly<Record<string, string>>): Promise<string[]> {
  const words = ['config', '-z', '--show-scope', '--name-only', '--get-regexp', '^filter\\.']
  const listed = await run(root, words, env).catch((error: { code?: unknown }) => {
    if (error.code === 1) return '' // none
    throw error
  })
  const names = new Set<string>()
  const parts = listed.split('\0')
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const name = /^filter\.(.+)\.[^.]+$/s.exec(parts[at + 1] ?? '')?.[1]
    if (name === undefined || parts[at] === 'system' || parts[at] === 'global') continue
    // `-c name=value` is cut at the first `=`: such a name could not be silenced.
    if (name.includes('=')) throw new Error(`the repository configures a filter of the name ${JSON.stringify(name)}`)
    names.add(name)
  }
  return [...names]
}

async function run(
  root: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  input?: string,
): Promise<string> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_') || KEPT.test(name))
  const child = execute('git', [...settings, ...words], {
    cwd: root,
    env: {
      ...Object.fromEntries(kept),
      ...{ GIT_TERMINAL_PROMPT: '0', GIT_LITERAL_PATHSPECS: '1', GIT_OPTIONAL_LOCKS: '0' },
      // No transport has this name. A missing object of a partial clone stays missing: its remote may name a program.
      ...{ GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1' },
      ...env,
    },
    maxBuffer: MAX_BUFFER,
    timeout: (words.includes('worktree') ? CHECKOUT_SECONDS : SECONDS) * 1000,
    killSignal: 'SIGKILL',
  })
  child.child.stdin?.on('error', () => undefined) // it ended without reading: the exit code tells
  child.child.stdin?.end(input ?? '')
  return (await child).stdout
}
