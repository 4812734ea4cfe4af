import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import {
  allGuarantees,
  checkPolicy,
  guaranteeText,
  missingGuarantees,
  openSandbox,
  type Policy,
} from '../../sandbox/index.ts'

const base = realpathSync(mkdtempSync(path.join(tmpdir(), 'policy-')))
afterAll(() => rmSync(base, { recursive: true }))
const home = path.join(base, 'home')
const work = path.join(home, 'work')
mkdirSync(work, { recursive: true })

const policy = (change: Partial<Policy> = {}): Policy => ({
  mode: 'workspace-write',
  roots: [work],
  extraWrite: [],
  denyRead: [],
  network: 'off',
  passEnv: [],
  ...change,
})

test('every guarantee has words', () => {
  expect(Object.keys(guaranteeText).sort()).toEqual([...allGuarantees].sort())
})

test('a confined mode requires all but what concerns a network that is not wanted', () => {
  const all = { guarantees: allGuarantees }
  expect(missingGuarantees(policy(), all)).toEqual([])
  expect(missingGuarantees(policy({ network: 'full' }), { guarantees: [] })).not.toContain('net-off')
  expect(missingGuarantees(policy({ allowHosts: ['a.org'] }), { guarantees: [] })).toContain('net-allowlist')
  expect(missingGuarantees(policy({ allowHosts: ['a.org'] }), { guarantees: [] })).not.toContain('net-off')
  expect(missingGuarantees(policy(), { guarantees: [] })).not.toContain('net-allowlist')
  expect(missingGuarantees(policy(), { guarantees: allGuarantees.filter((each) => each !== 'kill-all') })).toEqual([
    'kill-all',
  ])
  expect(missingGuarantees(policy({ mode: 'read-only' }), { guarantees: [] })).toContain('write-outside')
})

test('full access requires nothing; a container that the user vouches for lacks nothing', () => {
  expect(missingGuarantees(policy({ mode: 'full-access' }), { guarantees: [] })).toEqual([])
  expect(missingGuarantees(policy(), { backend: 'external', guarantees: ['env-clean'] })).toEqual([])
})

test.each(['/', '/usr', '/home', '/tmp', '/etc', '/var'])('%s is too wide to be a root', (root) => {
  expect(() => checkPolicy(policy({ roots: [root] }), home)).toThrow(/too wide/)
  expect(() => checkPolicy(policy({ extraWrite: [root] }), home)).toThrow(/too wide/)
})

test('so is the home folder, or what holds it', () => {
  expect(() => checkPolicy(policy({ roots: [home] }), home)).toThrow(/too wide/)
  expect(() => checkPolicy(policy({ roots: [base] }), home)).toThrow(/too wide/)
  expect(() => checkPolicy(policy(), home)).not.toThrow()
})

test('a root must be there, absolute and real', () => {
  const link = path.join(base, 'link')
  symlinkSync(work, link)
  expect(() => checkPolicy(policy({ roots: [link] }), home)).toThrow(/is a link to/)
  expect(() => checkPolicy(policy({ roots: ['work'] }), home)).toThrow(/absolute/)
  expect(() => checkPolicy(policy({ roots: [path.join(base, 'gone')] }), home)).toThrow(/does not exist/)
  expect(() => checkPolicy(policy({ roots: [] }), home)).toThrow(/no work tree/)
})

test('without a sandbox only full access runs', async () => {
  const sandbox = await openSandbox({ backend: 'none', env: { ...process.env, HOME: home } })
  const options = { limits: { seconds: 5, outputBytes: 1000 }, signal: new AbortController().signal }
  const command = { line: 'echo "$HOME $SECRET_THING"', cwd: work }
  await expect(sandbox.run(command, { ...options, policy: policy() })).rejects.toMatchObject({ kind: 'policy-gap' })
  const result = await sandbox.run(command, { ...options, policy: policy({ mode: 'full-access' }) })
  expect(result).toMatchObject({ outcome: 'exited', exitCode: 0, output: `${home} \n` })
})

test('in a container that is the boundary, commands run with a clean environment', async () => {
  const sandbox = await openSandbox({ backend: 'external', env: { ...process.env, HOME: home, MY_SECRET: 'x' } })
  expect(sandbox.guarantees).toEqual(['env-clean'])
  const options = { policy: policy(), limits: { seconds: 5, outputBytes: 1000 }, signal: new AbortController().signal }
  const result = await sandbox.run({ line: 'echo "[$MY_SECRET]"', cwd: work }, options)
  expect(result.output).toBe('[]\n')
})
