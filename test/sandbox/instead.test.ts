/** Commands that see a file with another content than it has. As root here; the box is the same for a user. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { canShow, openSandbox, type Policy, type Sandbox } from '../../sandbox/index.ts'

let root: string
let sandbox: Sandbox
beforeEach(async () => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'instead-')))
  writeFileSync(path.join(root, 'a.txt'), 'old\n')
  sandbox = await openSandbox({ roots: [root] })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const policyOf = (mode: Policy['mode'] = 'workspace-write'): Policy => ({
  ...{ mode, roots: [root], extraWrite: [], denyRead: [], network: 'off', passEnv: [] },
})

async function run(line: string, files: Readonly<Record<string, string>>, policy = policyOf()) {
  const instead = Object.entries(files).map(([name, text]) => ({
    path: path.join(root, name),
    bytes: Buffer.from(text),
  }))
  const { signal } = new AbortController()
  const limits = { seconds: 20, outputBytes: 10_000 }
  const { exitCode, output } = await sandbox.run({ line, cwd: root, instead }, { policy, limits, signal })
  return { exitCode, output }
}

const old = () => readFileSync(path.join(root, 'a.txt'), 'utf8')

test('the command sees it, nobody else does, and it cannot write it', async () => {
  expect(canShow(sandbox, policyOf())).toBe(true)
  const line = 'cat a.txt; echo mine >a.txt; mv a.txt b.txt; rm -f a.txt; echo >c.txt; cat a.txt'
  const { output } = await run(line, { 'a.txt': 'new\n' })
  expect(output.replace(/^.*(?:cannot|Read-only|Device or resource busy).*\n/gm, '')).toBe('new\nnew\n')
  expect(old()).toBe('old\n')
  expect(readFileSync(path.join(root, 'c.txt'), 'utf8')).toBe('\n')
  expect(await run('cat a.txt', {})).toEqual({ exitCode: 0, output: 'old\n' })
  expect(await run('cat a.txt', { 'a.txt': 'new\n' }, policyOf('read-only'))).toEqual({ exitCode: 0, output: 'new\n' })
})

test('several, with a line too long for an argument, one of them a program, beside files that are held', async () => {
  mkdirSync(path.join(root, '.git', 'hooks'), { recursive: true })
  writeFileSync(path.join(root, '.git', 'config'), '')
  writeFileSync(path.join(root, 'run.sh'), '#!/bin/sh\necho old\n')
  chmodSync(path.join(root, 'run.sh'), 0o755)
  const files = { 'a.txt': 'new\n', 'run.sh': '#!/bin/sh\necho run\n' }
  expect(await run('cat a.txt; ./run.sh', files)).toEqual({ exitCode: 0, output: 'new\nrun\n' })
  expect((await run(`: ${'x'.repeat(200_000)}\ncat a.txt; ./run.sh`, files)).output).toBe('new\nrun\n')
})

test('what is a link, is missing, is outside, or cannot be shown is refused before anything runs', async () => {
  const outside = path.join(root, '..', path.basename(realpathSync(mkdtempSync(`${root}-other-`))))
  writeFileSync(path.join(outside, 'x'), 'x')
  symlinkSync(path.join(outside, 'x'), path.join(root, 'link'))
  for (const name of ['link', 'missing', '../x', '.', path.relative(root, path.join(outside, 'x'))]) {
    await expect(run('touch ran', { [name]: 'new' })).rejects.toMatchObject({ kind: 'bad-command' })
  }
  await expect(run('touch ran', { 'a.txt': 'new' }, policyOf('full-access'))).rejects.toMatchObject({
    kind: 'bad-command',
  })
  expect(await run('ls', {})).toEqual({ exitCode: 0, output: 'a.txt\nlink\n' })
  rmSync(outside, { recursive: true })
})
