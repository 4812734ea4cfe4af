/** Fetches one wheel with the machine's own pip, so that a configured mirror, proxy or certificate is honoured. */
import { spawn } from 'node:child_process'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

export type PipOutcome = { readonly wheel: string } | { readonly failed: string }

/**
 * Downloads `requirement` (`name==version`) into `folder`, which is empty and ours alone. Binary wheels only and no
 * dependencies: so pip builds, installs and runs nothing. `onBytes` tells how much has come, a few times a second.
 * Rejects only with the signal's reason; the whole process group is gone then.
 */
export async function pipDownload(
  requirement: string,
  folder: string,
  { signal, onBytes }: { signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<PipOutcome> {
  signal.throwIfAborted()
  const wheels = join(folder, 'wheels')
  const temporary = join(folder, 'tmp')
  const empty = join(folder, 'cwd')
  for (const path of [wheels, temporary, empty]) await mkdir(path, { recursive: true })
  const finished = new AbortController()
  const watching = watchSize([wheels, temporary], onBytes, finished.signal)
  try {
    for (const python of process.platform === 'win32' ? ['python', 'py'] : ['python3', 'python']) {
      const result = await runPip(python, requirement, { wheels, temporary, empty, signal })
      if (result === 'no-python') continue
      signal.throwIfAborted()
      if (result !== undefined) return { failed: result }
      const wheel = (await readdir(wheels)).find((name) => name.endsWith('.whl'))
      return wheel === undefined ? { failed: 'pip gave no wheel' } : { wheel: join(wheels, wheel) }
    }
    return { failed: 'python3 with pip is needed for it and is not installed' }
  } finally {
    finished.abort()
    await watching
  }
}

/** Why pip failed; undefined when it did not. */
function runPip(
  python: string,
  requirement: string,
  { wheels, temporary, empty, signal }: { wheels: string; temporary: string; empty: string; signal: AbortSignal },
): Promise<'no-python' | string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(
      python,
      [
        '-m',
        'pip',
        'download',
        '--quiet',
        '--no-input',
        '--disable-pip-version-check',
        '--no-cache-dir',
        '--no-deps',
        '--only-binary=:all:',
        '--retries=2',
        '-d',
        wheels,
        requirement,
      ],
      {
        // `-m` puts the working folder on Python's path: it must be a folder in which nobody left a pip.py.
        cwd: empty,
        // pip keeps what it downloads here until it is whole: on the disk that was checked for space.
        env: { ...process.env, TMPDIR: temporary },
        stdio: ['ignore', 'ignore', 'pipe'],
        detached: true,
      },
    )
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-8_192)
    })
    const stop = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // The group is gone already.
      }
    }
    signal.addEventListener('abort', stop, { once: true })
    const done = (result: 'no-python' | string | undefined): void => {
      signal.removeEventListener('abort', stop)
      resolve(result)
    }
    child.on('error', (error: NodeJS.ErrnoException) => done(error.code === 'ENOENT' ? 'no-python' : error.message))
    child.on('close', (code) => done(code === 0 ? undefined : pipReason(errors)))
  })
}

/** One line for what pip said at length. */
function pipReason(errors: string): string {
  if (/No module named '?pip/.test(errors)) return 'pip is not installed (Debian: apt-get install python3-pip)'
  if (/No space left|Errno 28/.test(errors)) return 'pip found no space left on the disk'
  if (/NewConnectionError|ConnectTimeoutError|Max retries|Temporary failure|Could not fetch URL/.test(errors)) {
    return 'the package index cannot be reached'
  }
  if (/No matching distribution/.test(errors)) return 'the package index does not have it'
  const line = errors
    .split('\n')
    .map((text) => text.trim())
    .findLast((text) => text.startsWith('ERROR:'))
  return line === undefined ? 'pip failed' : `pip: ${line.slice('ERROR:'.length).trim().slice(0, 200)}`
}

/** Tells the size of what is in the folders until it is told to end. */
async function watchSize(folders: string[], onBytes: (bytes: number) => void, end: AbortSignal): Promise<void> {
  // The wait is cut short by the end; that rejection is the way out of the loop.
  while (await wait(250, true, { signal: end }).catch(() => false)) {
    const sizes = await Promise.all(folders.map(sizeOf))
    if (!end.aborted) onBytes(Math.max(...sizes))
  }
}

async function sizeOf(folder: string): Promise<number> {
  // What vanishes while it is looked at (pip moves its files) counts as nothing.
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
