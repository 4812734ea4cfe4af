/** Rules, refusals, audit and replay as a user meets them; and nothing left when the program is killed. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { editCall, shellCall } from './calls.ts'
import { eventsOf, processesWith, type Scratch, scratch } from './program.ts'

let place: Scratch
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n' })
})
afterEach(() => place.remove())

const configure = (file: string, toml: string): void => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, toml)
}
const userFile = (): string => join(place.home, 'own/config/config.toml')
const told = (stdout: unknown): string[] =>
  eventsOf(stdout).flatMap((event) => (event.type === 'tool-result' ? [event.result.content] : []))

test('a rule that denies is refused headless with exit code 7, where it stands, and what was read of the line', async () => {
  configure(userFile(), '[[rules]]\naction = "deny"\ncommand = "git push"\nreason = "by hand"\n')
  const model = place.script([{ calls: [shellCall('cd . && bash -c "git push"')] }, { text: 'I could not push.' }])
  const { exitCode, stdout } = await place.run(['run', 'Push', '--model', model, '--json'])
  expect(exitCode).toBe(7)
  expect(told(stdout)[0]).toBe(`Not run: a rule (${userFile()}:1) forbids "git push": by hand.`)
  const [, approval] = eventsOf(stdout).filter(({ type }) => type === 'approval' || type === 'call')
  expect(approval).toMatchObject({ type: 'approval', allowed: false, by: 'rule' })
})

test('a repository can only make it stricter', async () => {
  const file = join(place.repo, '.cachalot/config.toml')
  configure(file, '[[rules]]\naction = "allow"\ncommand = "echo"\n\n[[rules]]\naction = "ask"\ncommand = "rm"\n')
  configure(userFile(), '[[rules]]\naction = "allow"\ncommand = "rm"\n')
  const model = place.script([{ calls: [shellCall('rm a.txt')] }, { text: 'No.' }])
  const { exitCode, stdout, stderr } = await place.run(['run', 'Remove a.txt', '--model', model])
  expect(exitCode).toBe(7)
  expect(String(stderr)).toContain(`${file}:1: this rule is ignored: a repository may ask and deny, not allow`)
  expect(String(stdout)).toContain('Nobody can be asked')
  expect(existsSync(join(place.repo, 'a.txt'))).toBe(true)
})

test('a rule that is none is said with its place, and nothing runs', async () => {
  configure(userFile(), 'model = "x"\n\n[[rules]]\naction = "deny"\ncmd = "git push"\n')
  const { exitCode, stderr } = await place.run(['run', 'x'])
  expect(exitCode).toBe(2)
  expect(String(stderr)).toMatch(/config\.toml:3: rule 1: .*cmd/)
})

test('more than the sandbox gives is refused where nobody is, with what was wanted', async () => {
  const model = place.script([
    { calls: [{ name: 'shell', arguments: { command: 'touch x', write: '/opt' } }] },
    { text: 'I may not.' },
  ])
  const { exitCode, stdout } = await place.run(['run', 'Go', '--model', model])
  expect(exitCode).toBe(7)
  expect(String(stdout)).toContain('The command wants to write to /opt, outside of the work tree. Nobody can be asked')
})

test('audit lists what was done and verifies the log; replay holds it once more', async () => {
  const replies = [{ calls: [editCall('a.txt', 'one', 'two'), shellCall('cat a.txt')] }, { text: 'Done.' }]
  const model = place.script(replies)
  expect((await place.run(['run', 'Change a.txt', '--model', model])).exitCode).toBe(0)
  const audit = await place.run(['audit', 'last'])
  expect(audit.exitCode).toBe(0)
  expect(String(audit.stdout)).toMatch(/^chain {4}whole, \d+ records/m)
  expect(String(audit.stdout)).toMatch(/changed {3}a\.txt\n.*command {3}cat a\.txt {2}\(exit 0, /)
  const json = JSON.parse(String((await place.run(['audit', 'last', '--json'])).stdout)) as { file: string; id: string }

  const same = await place.run(['replay', json.id.slice(0, 12), '--model', model])
  expect([same.exitCode, String(same.stdout)]).toEqual([0, `${json.id}: 2 replies, all as recorded.\n`])
  const other = place.script([replies[0] ?? {}, { text: 'Done, perhaps.' }])
  const differs = await place.run(['replay', json.file, '--model', other])
  expect(differs.exitCode).toBe(1)
  expect(String(differs.stdout)).toMatch(
    /reply 2 is another one: its text differs at character 4\.\n.*"Done\."\n.*"Done, perhaps\."/,
  )

  writeFileSync(json.file, readFileSync(json.file, 'utf8').replace('cat a.txt', 'cat b.txt'))
  const broken = await place.run(['audit', json.file])
  expect(broken.exitCode).toBe(1)
  expect(String(broken.stdout)).toMatch(/^chain {4}The session log is not as it was written, from .*:\d+ on/m)
  expect((await place.run(['audit', 'nothing'])).exitCode).toBe(2)
})

test('a background command is gone when the program is killed with SIGKILL', async () => {
  const mark = `sleep\x0097${process.pid % 1000}.5`
  const command = `${mark.replace('\0', ' ')}`
  const model = place.script([
    { calls: [{ name: 'shell', arguments: { command, background: true } }] },
    { delayMs: 60_000, text: 'late' },
  ])
  const child = place.start(['run', 'Serve', '--model', model, '--json'])
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk) => {
      if (String(chunk).includes('"tool-result"')) resolve()
    })
  })
  expect(processesWith(mark)).not.toEqual([])
  // The launcher may stand before the program: whatever of it is there is killed.
  for (const line of processesWith(place.home).filter(
    (one) => /cachalot|cli\.js/.test(one) && !one.includes('bwrap'),
  )) {
    process.kill(Number(line.split(':')[0]), 'SIGKILL')
  }
  await child
  for (let waited = 0; processesWith(mark).length > 0 && waited < 5000; waited += 50) await sleep(50)
  expect(processesWith(mark)).toEqual([])
})

test('our own settings and logs are hidden from commands, wherever they are', async () => {
  configure(userFile(), '# mine\n')
  const own = join(place.home, 'own')
  const { stdout } = await place.run(['sandbox', '--', `ls ${own}/config ${own}/state 2>/dev/null`])
  expect(String(stdout)).not.toContain('config.toml')
  expect(String((await place.run(['sandbox', '--explain'])).stdout)).toContain(`${own}/config`)
})
