/** A server of our own on loopback in front of the small engine of the engine's tests, and real clients of it. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { dialectByName, type Model, openEmbedded } from '../../../engine/index.ts'
import { modelServer } from '../../../src/serve/server.ts'
import { type FakeEngine, type FakeOptions, fakeEngine } from '../../engine/fake-engine.ts'

export const token = 'a-token-for-tests'

export interface Served {
  readonly url: string
  readonly engine: FakeEngine
  readonly openai: OpenAI
  readonly anthropic: Anthropic
  fetch(path: string, options?: RequestInit): Promise<Response>
  /** The value of a sample without labels. */
  metric(name: string): Promise<number>
  close(): Promise<void>
}

const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }

export interface ServedOptions extends FakeOptions {
  readonly dialect?: string
}

/** One token a character; the reply is made from the whole prompt. */
export async function served({ dialect = 'qwen', ...options }: ServedOptions): Promise<Served> {
  const engine = fakeEngine({ contextTokens: 20_000, ...options })
  const info = { name: 'fake', finishes: 'words', prompt: 'full' } as const
  const model = openEmbedded({ engine, dialect: dialectByName(dialect), info, sampling, keepSequences: 3 })
  return { engine, ...(await listening(model)) }
}

export async function listening(model: Model): Promise<Omit<Served, 'engine'>> {
  const stop = new AbortController()
  const server: Server = modelServer({ model, token, parallel: 1, signal: stop.signal })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const get = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } })
  return {
    url,
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: url, apiKey: token, maxRetries: 0 }),
    fetch: get,
    async metric(name) {
      const text = await (await get('/metrics')).text()
      return Number(new RegExp(`^cachalot_${name} (.*)$`, 'm').exec(text)?.[1])
    },
    async close() {
      stop.abort()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await model.close()
    },
  }
}
