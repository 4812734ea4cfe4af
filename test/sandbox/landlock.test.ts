/** The weaker box that a user may ask for: as a normal user (nobody, when root runs the tests), never as root. */
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Guarantee, landlockLacks, missingGuarantees } from '../../sandbox/index.ts'
import { landlockProblem } from '../../sandbox/linux/landlock.ts'
import { type Agent, makePlace, policyFor, startAgent, users } from './support/agent.ts'

const LACKS: readonly Guarantee[] = ['git-metadata', 'secrets-hidden', 'unix-hidden', 'proc-isolated', 'kill-all']

test('what is done without is said in one place', () => {
  expect(landlockLacks).toEqual(LACKS)
})
const user = users.at(-1)!
const place = makePlace(user)
const policy = policyFor(place.work, { accepts: LACKS })
let agent: Agent | undefined

beforeAll(async () => {
  agent = await startAgent({ user, home: place.home, roots: [place.work], backend: 'landlock' })
})
afterAll(async () => {
  await agent?.stop()
  place.remove()
})

/** A kernel without Landlock has nothing to test: startAgent has said so. */
const each = (name: string, body: (agent: Agent) => Promise<void>): void =>
  test(name, async () => {
    if (agent !== undefined) await body(agent)
  })

test('is refused to root, with what to do', () => {
  expect(landlockProblem(0)?.message).toMatch(/Run as a normal user, or use bubblewrap/)
  expect(landlockProblem(1000)).toBeUndefined()
})

each('says what it does not give, and runs nothing until that is accepted', async (agent) => {
  expect(missingGuarantees(policyFor(place.work), agent.sandbox)).toEqual(LACKS)
  expect(missingGuarantees(policy, agent.sandbox)).toEqual([])
  await expect(agent.run('touch ran', { policy: policyFor(place.work) })).rejects.toMatchObject({ kind: 'policy-gap' })
  expect(existsSync(path.join(place.work, 'ran'))).toBe(false)
})

each('writes to the work tree and its own temporary folder only', async (agent) => {
  const outside = path.join(place.home, 'outside')
  const line = `echo in >in; echo t >$TMPDIR/t; echo x >${outside}; ln -s ${outside} l; echo x >l; echo x >/tmp/landlock-test; exit 3`
  const result = await agent.run(line, { policy })
  expect(result.exitCode).toBe(3)
  expect(existsSync(path.join(place.work, 'in'))).toBe(true)
  expect(existsSync(outside)).toBe(false)
  expect(existsSync('/tmp/landlock-test')).toBe(false)
})

each('has no network, no privileges, no namespaces, no variable but the allow-list', async (agent) => {
  writeFileSync(path.join(place.work, 'x'), '')
  const line = [
    '(: </dev/tcp/127.0.0.1/1) 2>&1 | grep -o "Operation not permitted" | head -n 1',
    'unshare -Ur true 2>&1 | grep -o "Operation not permitted"',
    'chmod 4755 x 2>&1 | grep -o "Operation not permitted"',
    'grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\t"',
    'env | grep -c SECRET',
  ].join('\n')
  const { output } = await agent.run(line, { policy })
  const refused = 'Operation not permitted'
  expect(output.trim().split('\n')).toEqual([refused, refused, refused, 'NoNewPrivs:1', 'Seccomp:2', '0'])
})

each('takes along what a command leaves in its group, and what it can find of the rest', async (agent) => {
  const line = '(setsid sleep 61 >/dev/null 2>&1 &) ; sleep 61 & sleep 0.1; pgrep -f "sleep 61" | wc -l'
  expect(Number((await agent.run(line, { policy })).output)).toBeGreaterThanOrEqual(2)
  expect((await agent.run('pgrep -fx "sleep 61"', { policy })).output).toBe('')
})
