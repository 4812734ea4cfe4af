import { describe, expect, test } from 'vitest'
import { sequencePool } from '../../../engine/session/pool.ts'
import { encode, fakeEngine } from '../fake-engine.ts'

const open = (contextTokens = 10_000, most = 2) => {
  const engine = fakeEngine({ reply: () => '', contextTokens })
  return { engine, pool: sequencePool(engine, undefined, most) }
}
type Opened = ReturnType<typeof open>

const signal = new AbortController().signal

/** Reads a text in a session of its own; gives how much of it had to be read. */
async function read({ pool }: Opened, text: string, reserve = 0): Promise<number> {
  const lease = pool.lease()
  const prompt = encode(text)
  const sequence = await lease.align(prompt, reserve)
  const fresh = prompt.length - sequence.length
  await sequence.prefill(prompt.slice(sequence.length), { signal })
  lease.holds(prompt)
  await lease.close()
  return fresh
}

const long = 'abcdefghij'.repeat(50)

describe('sequences that outlive their session', () => {
  test('the longest common beginning is not read again', async () => {
    const opened = open()
    expect(await read(opened, `${long}one`)).toBe(503)
    expect(await read(opened, `${long}two`)).toBe(3)
    expect(await read(opened, 'something else')).toBe(14)
    expect(opened.engine.open()).toBe(2)
  })

  test('a conversation is not lost to another that begins like it', async () => {
    const opened = open()
    const mine = `${long}${'mine '.repeat(100)}`
    await read(opened, mine)
    expect(await read(opened, `${long}${'yours '.repeat(100)}`)).toBe(600)
    expect(await read(opened, `${mine}!`)).toBe(1)
  })

  test('no more stay than may; those that are in the way of a long answer go', async () => {
    const opened = open(2000)
    for (const name of ['a', 'b', 'c']) await read(opened, name.repeat(300))
    expect(opened.engine.open()).toBe(2)
    await read(opened, 'd'.repeat(300), 1600)
    expect(opened.engine.open()).toBe(1)
  })

  test('sessions at the same time never share one', async () => {
    const opened = open()
    await read(opened, long)
    const leases = [opened.pool.lease(), opened.pool.lease()]
    const sequences = await Promise.all(leases.map((lease, at) => lease.align(encode(`${long}${at}`))))
    expect(sequences[0]).not.toBe(sequences[1])
    await Promise.all(leases.map((lease) => lease.close()))
    expect(opened.engine.open()).toBe(2)
  })
})
