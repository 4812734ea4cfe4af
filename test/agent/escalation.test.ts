/** Calls that need more than the session gives: asked for exactly, refused where nobody is, judged by the user's rules. */
import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ApprovalRequest, type Approve, heldGlobs, type Rule } from '../../agent/index.ts'
import { perform, policyFor, sandboxWorks, scratch, stage } from './support.ts'

const words = { text: 'I could not.' }
const shell = (given: Record<string, unknown>) => ({ calls: [{ name: 'shell', arguments: given }] })
const rule = (given: Omit<Rule, 'origin'>): Rule => ({ ...given, origin: 'config.toml:3' })
const works = await sandboxWorks()

function asking(answer: boolean): { requests: ApprovalRequest[]; approve: Approve } {
  const requests: ApprovalRequest[] = []
  return {
    requests,
    approve: async (request) => {
      requests.push(request)
      return answer ? { allow: true } : { allow: false, reason: 'Not there.' }
    },
  }
}

/** Not below /tmp, which commands see empty. */
function outside(): string {
  const folder = join(
    realpathSync(homedir()),
    `.cache/cachalot-test-${process.pid}-${Math.random().toString(36).slice(2)}`,
  )
  mkdirSync(folder, { recursive: true })
  return folder
}

test.runIf(works)('one path outside is opened for one command, by a yes to exactly that path', async () => {
  const folder = outside()
  const root = scratch({})
  // A link in the work tree shows the person where it leads.
  symlinkSync(folder, join(root, 'link'))
  const line = `echo hi > ${folder}/here; echo no > ${folder}-not 2>&1`
  const { requests, approve } = asking(true)
  const at = await stage(
    [
      shell({ command: line }),
      shell({ command: line, write: 'link' }),
      shell({ command: `touch ${folder}/later` }),
      words,
    ],
    { root, approve },
  )
  await perform(at, 'Write there')
  expect(requests).toHaveLength(1)
  expect(requests[0]).toMatchObject({
    required: true,
    effects: [
      { kind: 'run', command: line },
      { kind: 'open-write', path: folder },
    ],
    reason: `The command wants to write to ${folder}, outside of the work tree.`,
  })
  expect(readFileSync(join(folder, 'here'), 'utf8')).toBe('hi\n')
  expect(existsSync(`${folder}-not`)).toBe(false)
  expect(existsSync(join(folder, 'later'))).toBe(false)
  const told = JSON.stringify(at.model.requests[1]?.messages.at(-1))
  expect(told).toContain('name it in `write`')
})

test.runIf(works)('a no, and nobody to ask, leave it shut; the run says so by its exit', async () => {
  const folder = outside()
  const call = shell({ command: `touch ${folder}/x`, write: folder })
  const { approve } = asking(false)
  const refused = await perform(await stage([call, words], { approve }), 'Go')
  expect(refused).toMatchObject({ exit: 'done' })
  const alone = await perform(await stage([call, words]), 'Go')
  expect(alone).toMatchObject({ exit: 'denied', exitCode: 7 })
  expect(alone.text).toContain(`The command wants to write to ${folder}`)
  expect(alone.events.find(({ type }) => type === 'approval')).toMatchObject({ allowed: false, by: 'nobody' })
  expect(existsSync(join(folder, 'x'))).toBe(false)
})

test.runIf(works)('one host is opened for one command', async () => {
  const { requests, approve } = asking(true)
  const at = await stage(
    [shell({ command: 'echo "$https_proxy"', host: 'example.org' }), shell({ command: 'echo "$https_proxy"' }), words],
    { approve },
  )
  const { events } = await perform(at, 'Go')
  expect(requests.map(({ effects }) => effects[1])).toEqual([{ kind: 'open-host', host: 'example.org' }])
  const outputs = events.flatMap((event) =>
    event.type === 'tool-result' && event.result.details.kind === 'command' ? [event.result.details.output] : [],
  )
  expect(outputs[0]).toContain('http://sandbox:')
  expect(outputs[1]).toBe('\n')
})

test.each([
  [{ write: '/' }, 'too wide'],
  [{ write: homedir() }, 'too wide'],
  [{ host: 'exam ple' }, 'not a host'],
  [{ host: '127.0.0.1' }, 'not a host'],
  [{ host: '*.org' }, 'not a host'],
])('what the sandbox would not give is not asked for: %j', async (wish, why) => {
  const { requests, approve } = asking(true)
  const at = await stage([shell({ command: 'true', ...wish }), words], { approve })
  await perform(at, 'Go')
  expect(requests).toEqual([])
  expect(JSON.stringify(at.model.requests[1]?.messages.at(-1))).toContain(why)
})

test('a path that is not there is said before anybody is asked; what is open already is not asked for', async () => {
  const { requests, approve } = asking(true)
  const at = await stage(
    [shell({ command: 'true', write: '/not/there' }), shell({ command: 'true', write: '.' }), words],
    { approve },
  )
  await perform(at, 'Go')
  expect(requests).toEqual([])
  expect(JSON.stringify(at.model.requests[1]?.messages)).toContain('/not/there is not there')
})

test('a session that only reads opens no path, whoever is asked', async () => {
  const { requests, approve } = asking(true)
  const at = await stage([shell({ command: 'true', write: homedir() }), words], { approve, mode: 'read-only' })
  expect(await perform(at, 'Go')).toMatchObject({ exit: 'denied' })
  expect(requests).toEqual([])
})

test('rules: denied is refused with where the rule stands, asked is asked, allowed is not', async () => {
  const rules = [
    rule({ action: 'deny', command: 'git push' }),
    rule({ action: 'ask', command: 'rm' }),
    rule({ action: 'allow', command: 'echo' }),
  ]
  const { requests, approve } = asking(true)
  const script = ['git push', 'rm -f x', 'echo a', 'true'].map((command) => shell({ command }))
  const at = await stage([...script, words], { rules, approve, asksBefore: () => true, mode: 'full-access' })
  const { events } = await perform(at, 'Go')
  expect(requests.map(({ effects, required }) => [effects[0], required])).toEqual([
    [{ kind: 'run', command: 'rm -f x' }, true],
    [{ kind: 'run', command: 'true' }, false],
  ])
  const decided = events.flatMap((event) => (event.type === 'approval' ? [[event.allowed, event.by]] : []))
  expect(decided).toEqual([
    [false, 'rule'],
    [true, 'person'],
    [true, 'person'],
  ])
  expect(JSON.stringify(at.model.requests[1]?.messages.at(-1))).toContain('config.toml:3')
})

test('with nobody there a rule that asks refuses, and the run ends as denied unless something else did it', async () => {
  const rules = [rule({ action: 'ask', command: 'rm' })]
  const call = shell({ command: 'rm a' })
  const alone = await stage([call, words], { rules, mode: 'full-access', files: { a: '' } })
  expect(await perform(alone, 'Go')).toMatchObject({ exit: 'denied', exitCode: 7 })
  expect(existsSync(join(alone.root, 'a'))).toBe(true)
  const still = await stage([call, shell({ command: 'true' }), words], { rules, mode: 'full-access', files: { a: '' } })
  expect(await perform(still, 'Go')).toMatchObject({ exit: 'denied' })
  const edit = { calls: [{ name: 'write', arguments: { path: 'a', content: 'empty' } }] }
  const otherwise = await stage([call, edit, words], { rules, mode: 'full-access', files: { a: '' } })
  expect(await perform(otherwise, 'Go')).toMatchObject({ exit: 'done' })
})

test.runIf(works)('a path that a rule forbids is held against commands, too', async () => {
  const rules = [rule({ action: 'deny', path: 'migrations/**' }), rule({ action: 'deny', path: '*.lock' })]
  const root = scratch({ 'migrations/1.sql': 'one', 'a.lock': 'a' })
  const policy = { ...policyFor(root), ...heldGlobs(rules) }
  const line =
    'echo x > migrations/1.sql; mv migrations gone; echo x > migrations/2.sql; rm a.lock; echo x > a.lock; echo ok > other'
  const at = await stage([shell({ command: line }), words], { root, rules, policy })
  await perform(at, 'Go')
  expect(readFileSync(join(root, 'migrations/1.sql'), 'utf8')).toBe('one')
  expect(existsSync(join(root, 'migrations/2.sql'))).toBe(false)
  expect(readFileSync(join(root, 'a.lock'), 'utf8')).toBe('a')
  expect(readFileSync(join(root, 'other'), 'utf8')).toBe('ok\n')
})
