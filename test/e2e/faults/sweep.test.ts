/** I11 and I12, swept over a run: it is killed, or interrupted, at every event it prints. */
import { createInterface } from 'node:readline'
import { afterEach, expect, test, vi } from 'vitest'
import { eventsOf, type Scratch } from '../program.ts'
import { cleanUp, files, job, open, wordsFor } from './run.ts'

vi.setConfig({ testTimeout: 300_000 })
afterEach(cleanUp)

const slow = job.map((reply) => ({ ...reply, chunkMs: 5 }))

/** Starts the task and signals it when it has printed so many lines; undefined when it ended before that. */
async function signalledAt(place: Scratch, words: readonly string[], lines: number, signal: NodeJS.Signals) {
  const child = place.start(words)
  let stdout = ''
  let seen = 0
  let sent = false
  for await (const line of createInterface({ input: child.stdout! })) {
    stdout += `${line}\n`
    seen += 1
    if (seen !== lines) continue
    sent = child.kill(signal)
  }
  const { exitCode, signal: by } = await child
  return { stdout, exitCode, by, over: !sent }
}

test('I11: kill -9 at every event leaves whole files and a session that goes on', async () => {
  let lines = 1
  for (; ; lines++) {
    const at = await open({}, slow)
    const killed = await signalledAt(at.place, wordsFor(at.server), lines, 'SIGKILL')
    if (killed.over) break
    const tree = Object.fromEntries(at.place.snapshot())
    expect(['one\n', 'two\n']).toContain(tree['a.txt'])
    const { 'a.txt': _, 'ran.txt': ran = 'ran\n', ...rest } = tree
    expect(ran).toBe('ran\n')
    expect(rest).toEqual({ 'b.txt': files['b.txt'], 'src/c.js': files['src/c.js'] })
    const { exitCode, stdout, stderr } = await at.place.run([
      ...wordsFor(at.server, ['--resume', 'last'], 'What is in b.txt?'),
    ])
    const result = eventsOf(stdout).at(-1)
    expect({ lines, exitCode, result, stderr }).toMatchObject({ exitCode: 0, result: { type: 'result', exit: 'done' } })
    expect(Object.keys(Object.fromEntries(at.place.snapshot())).filter((path) => path.includes('.cachalot'))).toEqual(
      [],
    )
    await cleanUp()
  }
  expect(lines).toBeGreaterThan(20)
})

test('I12: SIGINT at every fourth event: the last line is a result, and it is the only one', async () => {
  let lines = 1
  for (; ; lines += 4) {
    const at = await open({}, slow)
    const { stdout, exitCode, over } = await signalledAt(at.place, wordsFor(at.server), lines, 'SIGINT')
    if (over) break
    const events = eventsOf(stdout)
    expect(events.filter(({ type }) => type === 'result')).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({ type: 'result', exitCode })
    expect([0, 130]).toContain(exitCode)
    await cleanUp()
  }
  expect(lines).toBeGreaterThan(20)
})
