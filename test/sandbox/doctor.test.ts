import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { guaranteesOf } from '../../sandbox/guarantees.ts'
import { diagnoseSandbox, explainPolicy, landlockLacks, openSandbox } from '../../sandbox/index.ts'
import { makePlace, policyFor, users } from './support/agent.ts'

const place = makePlace(users[0]!)
afterAll(() => place.remove())
const env = { PATH: process.env['PATH'], HOME: place.home, GOFLAGS: 'ghp_abcdefghijklmnopqrstuvwxyz0123' }
const options = { env, roots: [place.work] }

test('the doctor tells each thing that the self-test saw', async () => {
  const report = await diagnoseSandbox(options)
  if (report.problem !== undefined) {
    if (process.env['CACHALOT_SANDBOX_REQUIRED'] === '1') throw new Error(report.problem.message)
    process.stderr.write(`\n!!! THE SANDBOX IS NOT TESTED: ${report.problem.message}\n\n`)
    return
  }
  expect(report.lines[0]).toMatch(/^bubblewrap \/.*bwrap/)
  for (const seen of [
    'ok     home folder read-only (refused)',
    'ok     /proc/sys read-only (refused)',
    'ok     no capabilities (0000000000000000)',
    'ok     no new privileges (1)',
    'ok     system call filter (2)',
    'ok     no network but loopback (lo)',
    'ok     secret folder empty (0)',
    'ok     own process namespace (1)',
  ]) {
    expect(report.lines).toContain(seen)
  }
  expect(report.lines.filter((line) => line.startsWith('+ '))).toHaveLength(10)
})

test('the AppArmor profile is for the bubblewrap that is used', async () => {
  const { appArmorProfile } = await diagnoseSandbox({ ...options, backend: 'none' })
  expect(appArmorProfile).toMatch(
    /^abi <abi\/4.0>,\ninclude <tunables\/global>\n\nprofile bwrap \/usr\/bin\/bwrap flags=\(unconfined\) \{\n {2}userns,/m,
  )
})

test('a policy is explained: what is held, writable, hidden, withheld', async () => {
  mkdirSync(path.join(place.home, '.ssh'))
  mkdirSync(path.join(place.work, '.git'))
  writeFileSync(path.join(place.work, 'AGENTS.md'), '')
  const given = {
    ...(await openSandbox({ ...options, backend: 'none' })),
    backend: 'bwrap',
    guarantees: ['env-clean', 'git-metadata', 'secrets-hidden'],
  } as const
  const lines = explainPolicy(policyFor(place.work), given, env)
  expect(lines).toContain('+ env-clean: sees only an allow-list of environment variables')
  expect(lines).toContain('- net-off: reaches no network')
  expect(lines.join('\n')).toMatch(/missing, so commands are refused: write-outside, /)
  expect(lines).toContain(`writable: ${place.work}, a private /tmp`)
  expect(lines).toContain(`read-only in ${place.work}: AGENTS.md, .git`)
  expect(lines.join('\n')).toMatch(new RegExp(`^hidden: .*${place.home}/.ssh`, 'm'))
  expect(lines).toContain('network: none')
  expect(lines).toContain('withheld, they look like credentials: GOFLAGS')
  expect(explainPolicy(policyFor(place.work, { allowHosts: ['a.org'] }), given, env)).toContain('network: only a.org')
})

test('what a weaker box does not hold is not claimed', () => {
  const sandbox = { backend: 'landlock', guarantees: guaranteesOf('landlock', true), problem: undefined } as const
  const lines = explainPolicy(policyFor(process.cwd(), { accepts: landlockLacks }), sandbox)
  expect(lines).toContain(
    '- git-metadata: cannot change .git, agent instructions or CI files that exist when it starts',
  )
  expect(lines.filter((text) => /^(read-only in|hidden)/.test(text))).toEqual([])
})

test('full access and a vouched-for container say what they are', async () => {
  const external = await openSandbox({ ...options, backend: 'external' })
  expect(explainPolicy(policyFor(place.work), external, env).at(-1)).toMatch(/container or machine around/)
  expect(explainPolicy(policyFor(place.work, { mode: 'full-access' }), external, env).at(-1)).toMatch(/all your rights/)
})
