import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { LogError, type Placed } from '../../agent/log/format.ts'
import { newId } from '../../agent/log/id.ts'
import { loadLog } from '../../agent/log/load.ts'
import { openLog } from '../../agent/log/write.ts'
import { scratch } from './support.ts'

const header = {
  type: 'header',
  format: 2,
  id: 'x',
  cwd: '/w',
  time: '2026-01-01T00:00:00.000Z',
  model: { name: 'm', place: 'scripted', dialect: 'd' },
} as const

const exchange: Placed[] = [
  {
    segment: 'system',
    message: { role: 'system', text: 's', tools: [{ name: 't', description: 'd', parameters: { type: 'object' } }] },
  },
  { segment: 'instructions', message: { role: 'user', text: 'üñï\u2028\n"' } },
  { segment: 'conversation', message: { role: 'user', text: 'task' } },
  {
    segment: 'conversation',
    message: {
      role: 'assistant',
      reasoning: 'r',
      text: '',
      calls: [
        { id: 'a', name: 't', arguments: { x: [1] } },
        { id: 'b', name: 't', arguments: {} },
      ],
      sampled: [1, 2, 3],
      raw: 'raw',
    },
  },
  { segment: 'conversation', message: { role: 'tool', callId: 'a', name: 't', text: 'ok', ok: true } },
]

test('ids sort by time and differ', () => {
  const early = newId(Date.parse('2026-01-01'))
  const late = newId(Date.parse('2026-01-01') + 1)
  expect(early < late).toBe(true)
  expect(newId(0)).not.toBe(newId(0))
  expect(early).toMatch(/^[0-9a-z]{26}$/)
})

test('a log gives back exactly the segments that were written, sampled tokens and all', async () => {
  const file = join(scratch(), 'sessions', 'x.jsonl')
  const log = await openLog(file, { header })
  await log.messages(exchange.slice(0, 2))
  await log.note({ type: 'input', time: 'now', text: 'task' })
  await log.messages(exchange.slice(2))
  await log.close()

  const loaded = await loadLog(file)
  expect(loaded.segments.map(({ name }) => name)).toEqual(['system', 'instructions', 'conversation'])
  expect(loaded.segments.flatMap(({ messages }) => messages)).toEqual(exchange.map(({ message }) => message))
  expect(loaded.openCalls.map(({ id }) => id)).toEqual(['b'])
  expect(loaded.visible).toBe(log.visible)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700)
})

test('cut at any byte, a log loads to a beginning of itself and can be gone on with', async () => {
  const file = join(scratch(), 'x.jsonl')
  const log = await openLog(file, { header })
  await log.messages(exchange)
  await log.close()
  const whole = readFileSync(file)
  const first = whole.indexOf(0x0a) + 1
  for (let at = first; at <= whole.length; at += 1) {
    writeFileSync(file, whole.subarray(0, at))
    const loaded = await loadLog(file)
    const messages = loaded.segments.flatMap((segment) => segment.messages)
    expect(messages).toEqual(exchange.slice(0, messages.length).map(({ message }) => message))
  }
  truncateSync(file, whole.length - 3)
  const torn = await loadLog(file)
  const again = await openLog(file, { keepBytes: torn.wholeBytes, visible: torn.visible, tip: torn.tip })
  await again.messages([exchange.at(-1)!])
  await again.close()
  expect(readFileSync(file)).toEqual(whole)
})

test('damage in the middle, a foreign file and a missing one are told, not guessed over', async () => {
  const file = join(scratch(), 'x.jsonl')
  const log = await openLog(file, { header })
  await log.close()
  appendFileSync(file, '{"type":"mess\n')
  expect(await loadLog(file)).toMatchObject({
    broken: expect.stringMatching(/:2 on: the line is damaged/),
    segments: [],
  })
  writeFileSync(file, '{"type":"usage","usage":{}}\n')
  await expect(loadLog(file)).rejects.toThrow(/no header/)
  writeFileSync(file, '{"type":"from-the-future"}\n')
  await expect(loadLog(file)).rejects.toThrow(/does not know/)
  await expect(loadLog(join(file, 'not'))).rejects.toThrow(LogError)
})

test('a log is never written over', async () => {
  const file = join(scratch(), 'x.jsonl')
  await (await openLog(file, { header })).close()
  await expect(openLog(file, { header })).rejects.toThrow(LogError)
})

test('kill -9 at any moment leaves a log that loads (I11)', async () => {
  const folder = scratch()
  // Writes to a log without end.
  const writer = `
    import { openLog } from ${JSON.stringify(join(import.meta.dirname, '../../agent/log/write.ts'))}
    const log = await openLog(process.argv[1], { header: ${JSON.stringify({ ...header, id: 'killed' })} })
    for (let count = 0; ; count += 1) {
      const message = { role: 'user', text: (count + ' ').repeat(20_000) }
      await log.messages([{ segment: 'conversation', message }])
    }`
  let rounds = 0
  for (let round = 0; round < 12; round += 1) {
    const file = join(folder, `${round}.jsonl`)
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer, file], { stdio: 'ignore' })
    const gone = once(child, 'exit')
    while (!existsSync(file) && child.exitCode === null) await sleep(5)
    await sleep(Math.random() * 60)
    child.kill('SIGKILL')
    await gone
    if (statSync(file).size === 0) continue
    const { segments, header: read } = await loadLog(file)
    expect(read.id).toBe('killed')
    rounds += 1
    const texts = segments.flatMap(({ messages }) => messages.map(({ role }) => role))
    expect(texts.every((role) => role === 'user')).toBe(true)
  }
  expect(rounds).toBeGreaterThan(3)
})

test('a line that was changed, left out, put in or moved breaks the chain, and what comes before it still loads', async () => {
  const file = join(scratch(), 'x.jsonl')
  const log = await openLog(file, { header })
  await log.messages(exchange)
  await log.note({ type: 'failure', message: 'f' }, { type: 'usage', usage: {} })
  await log.close()
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(8)
  const [a, b, c, d] = lines as [string, string, string, string]
  const rest = lines.slice(4)
  const tampered: [what: string, lines: string[], broken: number][] = [
    ['changed', [a, b, c.replace('üñï', 'uni'), d, ...rest], 4],
    ['changed header', [a.replace('"/w"', '"/v"'), b, c, d, ...rest], 2],
    ['left out', [a, b, d, ...rest], 3],
    ['put in', [a, b, b, c, d, ...rest], 3],
    ['moved', [a, c, b, d, ...rest], 2],
    ['without its digest', [a, b, c.replace(/,"prev":"[^"]*"\}$/, '}'), d, ...rest], 3],
    ['no JSON', [a, b, 'x', c, d, ...rest], 3],
  ]
  for (const [what, all, number] of tampered) {
    writeFileSync(file, `${all.join('\n')}\n`)
    const loaded = await loadLog(file)
    expect(loaded.broken, what).toContain(`${file}:${number} on`)
    expect(loaded.records, what).toHaveLength(number - 1)
    const whole = `${all.slice(0, number - 1).join('\n')}\n`
    expect(readFileSync(file).subarray(0, loaded.wholeBytes).toString(), what).toBe(whole)
  }
  writeFileSync(file, `${lines.join('\n')}\n`)
  expect(await loadLog(file)).toMatchObject({ broken: undefined })
})

test('a log from before there was a chain loads as it did', async () => {
  const file = join(scratch(), 'x.jsonl')
  const old = [{ ...header, format: 1 }, ...exchange.map((placed) => ({ type: 'message', ...placed }))]
  writeFileSync(file, old.map((record) => `${JSON.stringify(record)}\n`).join(''))
  const loaded = await loadLog(file)
  expect(loaded).toMatchObject({ broken: undefined })
  expect(loaded.segments).toHaveLength(3)
})

test('two that go on with one session: the second to write is told, and the log stays whole', async () => {
  const file = join(scratch(), 'x.jsonl')
  await (await openLog(file, { header })).close()
  const { wholeBytes: keepBytes, visible, tip } = await loadLog(file)
  const [one, two] = [
    await openLog(file, { keepBytes, visible, tip }),
    await openLog(file, { keepBytes, visible, tip }),
  ]
  await one.messages(exchange.slice(0, 1))
  await expect(two.messages(exchange.slice(0, 1))).rejects.toThrow(/Another Cachalot has gone on with this session/)
  await one.messages(exchange.slice(1, 2))
  await Promise.all([one.close(), two.close()])
  expect(await loadLog(file)).toMatchObject({ broken: undefined, records: { length: 3 } })
})
