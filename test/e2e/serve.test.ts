/** `cachalot serve` as a program: a model file in the engine host, a client on loopback, Ctrl-C. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import OpenAI from 'openai'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeModel } from '../models/index.ts'
import { processesWith, type Scratch, scratch } from './program.ts'

let place: Scratch
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n' })
})
afterEach(() => place.remove())

/** Starts it and waits for the line that says where it is. */
async function serve(words: readonly string[]) {
  const child = place.start(['serve', '--port', '0', '--json', ...words], { timeout: 120_000 })
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(String(chunk)))
    void child.then(({ stderr }) => reject(new Error(String(stderr))))
  })
  const { url, token, model } = JSON.parse(line) as { url: string; token: string; model: string }
  return { child, url, token, model, openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 }) }
}

test('answers, spares what it read, ends with Ctrl-C and leaves no process', { timeout: 120_000 }, async () => {
  const { file } = makeModel('tiny-moe-copy', { reply: ['Hello', ' there'] })
  const { child, url, model, openai } = await serve(['--model', file, '--dialect', 'fenced', '--context', '8192'])
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const system = { role: 'system' as const, content: 'All work and no play. '.repeat(200) }
  const ask = (content: string) =>
    openai.chat.completions.create({ model, messages: [system, { role: 'user', content }], logprobs: true })
  const first = await ask('Hi')
  expect(first.choices[0]?.message.content).toBe('Hello there')
  expect(first.usage?.prompt_tokens_details?.cached_tokens).toBe(0)
  const second = await ask('Say it again')
  expect(second.choices[0]?.message.content).toBe('Hello there')
  const { prompt_tokens: prompt = 0, prompt_tokens_details: details } = second.usage ?? {}
  expect(prompt).toBeGreaterThan(1000)
  expect(prompt - (details?.cached_tokens ?? 0)).toBeLessThan(40)
  child.kill('SIGINT')
  expect((await child).exitCode).toBe(0)
  await sleep(200)
  expect(processesWith(`CACHALOT_HOME=${place.home}`)).toEqual([])
})

test('what was read of the system words is there after a restart', { timeout: 120_000 }, async () => {
  const { file } = makeModel('tiny-moe-copy', { reply: ['Hello', ' there'] })
  const words = ['--model', file, '--dialect', 'fenced', '--context', '16384']
  const system = { role: 'system' as const, content: 'All work and no play. '.repeat(300) }
  const ask = async ({ openai }: Awaited<ReturnType<typeof serve>>, content: string): Promise<number> => {
    const messages = [system, { role: 'user' as const, content }]
    const { usage } = await openai.chat.completions.create({ model: 'default', messages })
    return (usage?.prompt_tokens ?? 0) - (usage?.prompt_tokens_details?.cached_tokens ?? 0)
  }
  const first = await serve(words)
  expect(await ask(first, 'Hi')).toBeGreaterThan(1024)
  const kept = (): boolean => globSync('**/*.kv', { cwd: join(place.home, 'own', 'cache', 'kv') }).length > 0
  while (!kept()) await sleep(20)
  first.child.kill('SIGINT')
  await first.child
  const second = await serve(words)
  expect(await ask(second, 'Something else')).toBeLessThan(60)
  second.child.kill('SIGINT')
  expect((await second.child).exitCode).toBe(0)
})

test('Ctrl-C in the middle of an answer: the client hears of it, the server is gone at once', async () => {
  const model = place.script([{ text: 'word '.repeat(500), chunkMs: 20 }])
  const { child, openai } = await serve(['--model', model])
  const messages = [{ role: 'user' as const, content: 'Talk' }]
  const stream = await openai.chat.completions.create({ model: 'default', messages, stream: true })
  let asked = false
  const read = async (): Promise<void> => {
    for await (const _ of stream) {
      if (!asked) child.kill('SIGINT')
      asked = true
    }
  }
  const since = performance.now()
  await expect(read()).rejects.toThrow()
  expect((await child).exitCode).toBe(0)
  expect(performance.now() - since).toBeLessThan(5000)
})

test('a token of the user, a port that is taken, an endpoint: said in words', async () => {
  const model = place.script([])
  const first = await serve(['--model', model, '--token', 'my-own-token'])
  expect(first.token).toBe('my-own-token')
  const taken = await place.run(['serve', '--model', model, '--port', new URL(first.url).port])
  expect(taken.stderr).toMatch(/port \d+ is in use. Choose another with --port/)
  expect(taken.exitCode).toBe(2)
  const remote = await place.run(['serve', '--model', 'x', '--base-url', 'http://127.0.0.1:1/v1'])
  expect(remote.stderr).toMatch(/serve offers the embedded model/)
  expect(remote.exitCode).toBe(2)
  first.child.kill('SIGTERM')
  expect((await first.child).exitCode).toBe(0)
})
