/** What tests of the real engine share: engines that are closed, replies, prompts, the host's process. */
import { readFileSync } from 'node:fs'
import { afterEach } from 'vitest'
import {
  type Engine,
  type EngineOptions,
  type GeneratedToken,
  type GenerateOptions,
  openEngine,
  type Sampling,
  type Sequence,
} from '../../engine/index.ts'

export const greedy: Sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
export const calm = new AbortController().signal

const open: Engine[] = []

/** Closes after each test what `engineOn` opened. To be called once in a test file. */
export function closeEngines(): void {
  afterEach(async () => {
    await Promise.all(open.splice(0).map((engine) => engine.close()))
  })
}

export async function engineOn(file: string, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({ file, contextTokens: 4096, threads: 1, ...options })
  open.push(engine)
  return engine
}

export async function reply(
  sequence: Sequence,
  last: number,
  options: Partial<GenerateOptions> = {},
): Promise<GeneratedToken[]> {
  const tokens: GeneratedToken[] = []
  for await (const token of sequence.generate(last, { sampling: greedy, maxTokens: 16, signal: calm, ...options }))
    tokens.push(token)
  return tokens
}

export const ids = (tokens: readonly GeneratedToken[]): number[] => tokens.map(({ token }) => token)
export const words = (tokens: readonly GeneratedToken[]): string => tokens.map(({ text }) => text).join('')

/** Ordinary tokens that differ from place to place. */
export const prompt = (length: number, seed = 1): number[] =>
  Array.from({ length }, (_, i) => 32 + ((i * 7 + seed * 13) % 90))

/** The one engine host that this process runs now. */
export function theHost(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean)
  const hosts = children.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('host/main.ts'))
  if (hosts.length !== 1) throw new Error(`${hosts.length} engine hosts run`)
  return Number(hosts[0])
}
