/** Runs the built program as a stranger would: its own process, its own home, a real git repository. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa, type Options, type Result, type ResultPromise } from 'execa'
import type { AgentEvent } from '../../agent/index.ts'

export const projectRoot = join(import.meta.dirname, '..', '..')
export const launcher = join(projectRoot, 'bin', 'cachalot.js')

export interface Scratch {
  /** Folder of everything of this test. */
  readonly home: string
  /** A git repository with the given files, committed. */
  readonly repo: string
  /** Writes a script of replies and gives the `--model` value that plays it. */
  script(replies: readonly object[], rest?: object): string
  /** The program with these words in the repository. */
  start(words: readonly string[], options?: Options): ResultPromise<Options>
  run(words: readonly string[], options?: Options): Promise<Result<Options>>
  read(path: string): string
  /** Every file of the work tree (not .git) with its bytes. */
  snapshot(): Map<string, string>
  remove(): void
}

export function scratch(files: Readonly<Record<string, string>>): Scratch {
  const home = mkdtempSync(join(tmpdir(), 'cachalot-e2e-'))
  const repo = join(home, 'repo')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repo, path)), { recursive: true })
    writeFileSync(join(repo, path), text)
  }
  const git = (...words: string[]): void => {
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], { cwd: repo, stdio: 'pipe' })
  }
  git('init', '-q')
  git('add', '-A')
  git('commit', '-qm', 'start')
  let scripts = 0
  const start = (words: readonly string[], options: Options = {}): ResultPromise<Options> =>
    execa(process.execPath, [launcher, ...words], {
      cwd: repo,
      reject: false,
      stdin: 'ignore',
      stripFinalNewline: false,
      timeout: 60_000,
      ...options,
      env: { ...environment(home), ...options.env },
      extendEnv: false,
    })
  return {
    home,
    repo,
    script(replies, rest = {}) {
      scripts += 1
      const file = join(home, `script-${scripts}.json`)
      writeFileSync(file, JSON.stringify({ ...rest, replies }))
      return `scripted:${file}`
    },
    start,
    run: async (words, options) => await start(words, options),
    read: (path) => readFileSync(join(repo, path), 'utf8'),
    snapshot() {
      const found = readdirSync(repo, { recursive: true, withFileTypes: true })
      return new Map(
        found
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .filter((path) => !path.startsWith(join(repo, '.git')))
          .map((path) => [path.slice(repo.length + 1), readFileSync(path, 'latin1')]),
      )
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  }
}

/** Only what a program needs; nothing of the developer's own settings. */
export function environment(home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    CACHALOT_HOME: join(home, 'own'),
    LANG: 'C.UTF-8',
    TMPDIR: tmpdir(),
  }
}

/** The events of `--json` output; fails on a line that is no JSON object. */
export function eventsOf(stdout: unknown): AgentEvent[] {
  return String(stdout)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AgentEvent)
}

/** Processes of this machine whose environment or command line holds the text: what a run left behind. */
export function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const where = `${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`
        return where.includes(text)
          ? [`${pid}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`]
          : []
      } catch {
        return [] // gone meanwhile, or a kernel thread
      }
    })
}
