import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recoverEdits } from '../../tools/index.ts'
import { call, reasonOf, toolContext } from './support/context.ts'
import { workTree } from './support/workspace.ts'

const before = {
  'a.txt': 'a1\na2\n',
  'b.txt': 'b1\nb2\n',
  'gone.txt': 'gone\n',
  'moved.txt': 'm1\nm2\n',
  'other.txt': 'o\n',
}
const after = {
  'a.txt': 'a1\nA2\n',
  'b.txt': 'b1\nB2\n',
  'new/deep.txt': 'fresh\n',
  'to/moved.txt': 'm1\nM2\n',
  'other.txt': 'o\n',
}
const patch = `*** Begin Patch
*** Update File: a.txt
@@
-a2
+A2
*** Update File: b.txt
@@
-b2
+B2
*** Delete File: gone.txt
*** Update File: moved.txt
*** Move to: to/moved.txt
@@
-m2
+M2
*** Add File: new/deep.txt
+fresh
*** End Patch
`

let scratch: string
let journal: string
let script: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'cachalot-crash-'))
  journal = join(scratch, 'journal')
  script = join(scratch, 'crashing-edit.mjs')
  // As one file it starts four times as fast, and it starts some sixty times.
  await build({
    entryPoints: [join(import.meta.dirname, 'support/crashing-edit.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@vscode/ripgrep'],
    logLevel: 'error',
  })
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

/** Every file below the root with its text, temporary ones too. */
function filesUnder(root: string): Record<string, string> {
  const entries = [...globSync('**/*', { cwd: root }), ...globSync('**/.*', { cwd: root })]
  const files: Record<string, string> = {}
  for (const name of entries) {
    try {
      files[name] = readFileSync(join(root, name), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error
    }
  }
  return files
}

function crash(
  root: string,
  at: number,
  change = patch,
): Promise<{ signal: string | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [script, root, journal, String(at)], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(change)
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (data) => (output.stdout += data))
  child.stderr.on('data', (data) => (output.stderr += data))
  return new Promise((resolve) => child.on('close', (_code, signal) => resolve({ signal, ...output })))
}

test('killed at any point, every file is old or new, and the next start makes the change whole or not done', async () => {
  const whole = await workTree(before)
  const total = Number((await crash(whole.root, 0)).stdout)
  expect(filesUnder(whole.root)).toEqual(after)
  await whole.remove()
  expect(total).toBeGreaterThan(25)

  const outcomes = { old: 0, new: 0 }
  const sweep = async (at: number): Promise<void> => {
    const tree = await workTree(before)
    expect((await crash(tree.root, at)).signal, `at ${at}`).toBe('SIGKILL')
    for (const [name, text] of Object.entries(filesUnder(tree.root))) {
      if (name.endsWith('.tmp')) continue
      const possible = [before[name as keyof typeof before], after[name as keyof typeof after]]
      expect(possible, `${name} at ${at}`).toContain(text)
    }
    await recoverEdits(tree.workspace, journal)
    const files = filesUnder(tree.root)
    const done = 'new/deep.txt' in files
    outcomes[done ? 'new' : 'old'] += 1
    expect(files, `at ${at}`).toEqual(done ? after : before)
    expect(await recoverEdits(tree.workspace, journal)).toEqual([])
    await tree.remove()
  }
  const points = Array.from({ length: total }, (_, i) => i + 1)
  await Promise.all(
    [0, 1].map(async (lane) => {
      for (const at of points.filter((point) => point % 2 === lane)) await sweep(at)
    }),
  )
  expect(await readdir(journal)).toEqual([])
  expect(outcomes.old).toBeGreaterThan(2)
  expect(outcomes.new).toBeGreaterThan(15)
}, 120_000)

test('killed at any point of a change of one file, nothing is left beside it', async () => {
  const one = '*** Begin Patch\n*** Update File: a.txt\n@@\n-a2\n+A2\n*** End Patch\n'
  const possible = [before, { ...before, 'a.txt': after['a.txt'] }]
  const tree = await workTree(before)
  let littered = 0
  for (let at = 1; ; at++) {
    const { signal } = await crash(tree.root, at, one)
    if (signal === null) break
    const files = filesUnder(tree.root)
    if (Object.keys(files).some((name) => name.endsWith('.tmp'))) littered += 1
    await recoverEdits(tree.workspace, journal)
    expect(possible, `at ${at}`).toContainEqual(filesUnder(tree.root))
    await tree.workspace.write('a.txt', Buffer.from(before['a.txt']))
  }
  expect(littered).toBeGreaterThan(1)
  expect(await readdir(journal)).toEqual([])
  await tree.remove()
})

describe('recovery', () => {
  /** A tree whose change was killed after some files were written. */
  async function halfDone() {
    const tree = await workTree(before)
    for (let at = 12; ; at += 2) {
      await crash(tree.root, at)
      const files = filesUnder(tree.root)
      if (files['a.txt'] === after['a.txt'] && files['b.txt'] === before['b.txt']) return tree
      if (at > 60) throw new Error('never half done')
      await recoverEdits(tree.workspace, journal)
      for (const [name, text] of Object.entries(before)) await tree.workspace.write(name, Buffer.from(text))
      for (const name of ['new/deep.txt', 'to/moved.txt']) {
        if (await tree.workspace.stat(name)) await tree.workspace.remove(name)
      }
    }
  }

  test('what the user changed after the crash is left alone, and the rest is taken back', async () => {
    const tree = await halfDone()
    writeFileSync(join(tree.root, 'b.txt'), 'mine\n')
    const [recovered] = await recoverEdits(tree.workspace, journal)
    expect(recovered).toMatchObject({ outcome: 'rolled-back', written: ['a.txt'], leftAlone: ['b.txt'] })
    expect(filesUnder(tree.root)).toEqual({ ...before, 'b.txt': 'mine\n' })
    await tree.remove()
  })

  test('an edit settles what another session left, before it is planned', async () => {
    const tree = await halfDone()
    const result = await call(toolContext(tree.workspace, { journal }), 'edit', { path: 'b.txt', old: 'B2', new: 'B3' })
    expect(result.ok, result.content).toBe(true)
    expect(filesUnder(tree.root)).toEqual({ ...after, 'b.txt': 'b1\nB3\n' })
    await tree.remove()
  })

  test('a change whose process still lives is its own to finish', async () => {
    const tree = await halfDone()
    const [name = ''] = await readdir(journal)
    const file = join(journal, name)
    const owner = spawn('sleep', ['60'])
    await once(owner, 'spawn')
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), pid: owner.pid }))
    const files = filesUnder(tree.root)
    expect(await recoverEdits(tree.workspace, journal)).toEqual([])
    expect(filesUnder(tree.root)).toEqual(files)
    // Much older than the process: somebody else had its number.
    utimesSync(file, 1, 1)
    expect(await recoverEdits(tree.workspace, journal)).toMatchObject([{ outcome: 'finished' }])
    owner.kill()
    await tree.remove()
  })

  test('a damaged journal is told of and touches nothing', async () => {
    const tree = await halfDone()
    const [name = ''] = await readdir(journal)
    writeFileSync(join(journal, name), '{"version": 1, "files": "x"')
    const files = filesUnder(tree.root)
    expect(await recoverEdits(tree.workspace, journal)).toMatchObject([{ outcome: 'unreadable' }])
    expect(filesUnder(tree.root)).toEqual(files)
    await rm(join(journal, name))
    await tree.remove()
  })
})

test('a write that fails in the middle takes back what was written, and leaves no journal', async () => {
  const tree = await workTree(before)
  let writes = 0
  const failing = {
    ...tree.workspace,
    write: async (path: string, bytes: Buffer) => {
      writes += 1
      if (writes === 4) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
      await tree.workspace.write(path, bytes)
    },
  }
  const result = await call(toolContext(failing, { journal }), 'edit', { patch })
  expect(reasonOf(result)).toBe('io')
  expect(result.content).toContain('no space left')
  expect(filesUnder(tree.root)).toEqual(before)
  // Not even an empty folder of it is left.
  expect((await readdir(tree.root)).sort()).toEqual(Object.keys(before).sort())
  expect(await readdir(journal)).toEqual([])
  await tree.remove()
})
