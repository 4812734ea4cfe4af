/** The folder a task is done in: a fresh git repository with the task's files, and the check that judges it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import type { Sandbox } from '../../sandbox/index.ts'
import type { Task } from './tasks.ts'

export interface Place {
  readonly folder: string
  /** Whether any of the task's files differs from what it was. */
  changed(): boolean
  /** Takes away what `check` has added. */
  hide(): void
  remove(): void
}

const writeAll = (folder: string, files: Readonly<Record<string, string>>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

/** Written for a check by jest. */
const jestFiles = ['jest.config.cjs', 'babel.config.cjs']

/** Makes the folder: the task's files, committed. */
export async function makePlace(task: Task): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'cachalot-eval-'))
  writeAll(folder, task.files)
  const git = (...args: string[]) =>
    execa('git', ['-c', 'user.name=eval', '-c', 'user.email=eval@localhost', ...args], { cwd: folder })
  await git('init', '-q')
  await git('add', '-A')
  await git('commit', '-q', '-m', 'task')
  const same = ([path, text]: [string, string]): boolean => {
    try {
      return readFileSync(join(folder, path), 'utf8') === text
    } catch {
      return false // a file that is gone is a change
    }
  }
  return {
    folder,
    changed: () => !Object.entries(task.files).every(same),
    hide() {
      for (const path of [...Object.keys(task.hidden), ...jestFiles]) rmSync(join(folder, path), { force: true })
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export interface Verdict {
  readonly passed: boolean
  readonly ended: boolean
  /** All that the check said, as far as it is kept. */
  readonly output: string
}

/**
 * Adds the hidden files and runs the check, confined: it runs code that a model wrote.
 * `jest` is the folder of an installed jest, for the `JEST FILE` form.
 */
export async function check(task: Task, place: Place, sandbox: Sandbox, jest: string): Promise<Verdict> {
  writeAll(place.folder, task.hidden)
  let line = task.check
  if (line.startsWith('JEST ')) {
    writeAll(place.folder, {
      'jest.config.cjs': 'module.exports = {}\n',
      'babel.config.cjs': `module.exports = { presets: [require(${JSON.stringify(join(jest, 'node_modules/@babel/preset-env'))})] }\n`,
    })
    line = `${join(jest, 'node_modules/.bin/jest')} --no-cache --rootDir . ${line.slice('JEST '.length)}`
  }
  const result = await sandbox.run(
    { line, cwd: place.folder },
    {
      policy: {
        mode: 'workspace-write',
        roots: [place.folder],
        extraWrite: [],
        denyRead: [],
        network: 'off',
        passEnv: ['PYENV_ROOT', 'PYENV_VERSION'],
      },
      limits: { seconds: task.timeout, outputBytes: 20_000 },
      signal: new AbortController().signal,
    },
  )
  return {
    passed: result.outcome === 'exited' && result.exitCode === 0,
    ended: result.outcome === 'exited',
    output:
      `${result.output}\n${result.outcome === 'timed-out' ? `(not at its end after ${task.timeout} s: stopped)` : ''}`.trim(),
  }
}
