/** What a remote reply costs, by hits and misses of the server's cache. */
import { afterEach, expect, test, vi } from 'vitest'
import { addUsage, noUsage, openRemote, type Price, remotePresets } from '../../../engine/index.ts'
import { priceText } from '../../../src/terminal/numbers.ts'
import { chunk, events, type FakeServer, fakeServer, usage } from './fake-server.ts'

let server: FakeServer | undefined
afterEach(async () => {
  vi.useRealTimers()
  await server?.close()
})

const signal = new AbortController().signal

async function spent(at: string, own = true, price?: Price) {
  server = await fakeServer(events([chunk({ content: 'ok' }), chunk({}, 'stop'), usage(1000, 10, 800)]))
  vi.useFakeTimers({ now: new Date(at), toFake: ['Date'] })
  const preset = { ...remotePresets.deepseek, ...(own && { baseUrl: server.baseUrl }) }
  const model = openRemote({ baseUrl: server.baseUrl, model: 'deepseek-flash', preset, apiKey: 'k', price })
  const session = await model.start([{ name: 'system', messages: [{ role: 'user', text: 'go' }] }])
  for await (const event of session.respond({ signal, maxTokens: 10 })) if (event.type === 'done') return event.usage
  throw new Error('no end')
}

test('hits, misses and output, doubled at peak hours; nothing where the prices are another server’s', async () => {
  const calm = await spent('2026-11-22T12:00:00Z')
  expect(calm).toMatchObject({ promptTokens: 1000, cachedTokens: 800, evaluatedTokens: 200 })
  expect(calm.price?.hits).toBeCloseTo(800 * 0.003e-6, 12)
  expect(calm.price?.misses).toBeCloseTo(200 * 0.15e-6, 12)
  expect(calm.price?.output).toBeCloseTo(10 * 0.6e-6, 12)
  await server?.close()
  // A Monday at two: peak.
  const peak = await spent('2026-11-23T02:00:00Z')
  expect(peak.price?.misses).toBeCloseTo(2 * (calm.price?.misses ?? 0), 12)
  expect(addUsage(addUsage(noUsage, calm), peak).price?.misses).toBeCloseTo(3 * (calm.price?.misses ?? 0), 12)
  await server?.close()
  expect((await spent('2026-11-22T12:00:00Z', false)).price).toBeUndefined()
})

test('the prices of any other server, where they are told', async () => {
  const { price } = await spent('2026-11-23T02:00:00Z', false, { hit: 0.1, miss: 1, output: 2 })
  expect(price?.hits).toBeCloseTo(800 * 0.1e-6, 12)
  expect(price?.misses).toBeCloseTo(200 * 1e-6, 12)
  expect(price?.output).toBeCloseTo(10 * 2e-6, 12)
})

test('as a person reads it', () => {
  expect(priceText({ hits: 0.0003, misses: 0.01, output: 0.5 })).toBe(
    '$0.51: hits $0.0003, misses $0.0100, output $0.50',
  )
  expect(priceText({ hits: 0.00000001, misses: 0, output: 0 })).toContain('hits < $0.0001')
})
