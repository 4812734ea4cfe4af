/**
 * Copy speculation on DeepSeek V4: what it costs that tokens can be taken back (rollback), and what drafts bring. A model of
 * V4-Flash's cache geometry says what is known in advance; its weights are far smaller than V4-Flash's, so that the cost is
 * given in milliseconds.
 */
import { readFileSync } from 'node:fs'
import { type Engine, type GenerateCounts, openEngine, type Sequence } from '../../engine/index.ts'
import { median } from '../eval/outcome.ts'
import { spread } from './numbers.ts'

const signal = new AbortController().signal
const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
/** What the copy model says, more than twice round (test/models/copy.ts): each next token is a copy. */
const round = { first: 183, tokens: 61 }
const words = Array.from({ length: 140 }, (_, i) => round.first + (i % round.tokens))
const measured = 40

interface Tried {
  readonly rollback: number
  readonly engine: Engine
  readonly sequence: Sequence
  readonly megabytes: number
  readonly plain: number[]
  readonly drafted: number[]
  held: string
}

/** @param file a copy model of DeepSeek V4's structure (test/models) */
export async function benchSpeculationV4(file: string, rounds: number): Promise<string[]> {
  const tried: Tried[] = []
  try {
    for (const rollback of [0, 2, 4, 8]) tried.push(await opened(file, rollback))
    for (let round = 0; round < rounds; round++)
      for (const one of tried) {
        one.plain.push((await window(one.sequence, false)).ms)
        if (one.rollback === 0) continue
        const { ms, counts } = await window(one.sequence, true)
        one.drafted.push(ms)
        one.held = `${counts.accepted} of ${counts.drafted}`
      }
    const base = tried[0]
    if (!base) return []
    return [
      '| rollback | memory | a token, nothing drafted | more than without | a token of a copy | faster than without | held |',
      '|---|---|---|---|---|---|---|',
      ...tried.map(({ rollback, megabytes, plain, drafted, held }) => {
        const more = median(plain.map((ms, i) => ms - (base.plain[i] ?? ms)))
        const faster = drafted.length === 0 ? '' : median(drafted.map((ms, i) => (base.plain[i] ?? ms) / ms)).toFixed(2)
        const copy = drafted.length === 0 ? '' : spread(drafted, 'ms')
        return `| ${rollback} | ${megabytes.toFixed(0)} MB | ${spread(plain, 'ms')} | ${more.toFixed(1)} ms | ${copy} | ${faster} | ${held} |`
      }),
    ]
  } finally {
    for (const { engine } of tried) await engine.close()
  }
}

async function opened(file: string, rollback: number): Promise<Tried> {
  const before = new Set(children())
  const engine = await openEngine({
    ...{ file, contextTokens: 4096, sequences: 1, gpuLayers: 0, rollbackTokens: rollback },
  })
  const host = children().find((id) => !before.has(id))
  const sequence = await engine.sequence()
  await sequence.prefill(words.slice(0, -1), { signal })
  await sequence.checkpoint()
  return { rollback, engine, sequence, megabytes: residentBytes(host) / 1e6, plain: [], drafted: [], held: '' }
}

/** Milliseconds of a token, from the first one on. */
async function window(sequence: Sequence, speculate: boolean): Promise<{ ms: number; counts: GenerateCounts }> {
  const length = sequence.length
  let counts: GenerateCounts | undefined
  let began = 0
  let made = 0
  const onEnd = (found: GenerateCounts) => {
    counts = found
  }
  const last = words.at(-1) ?? 0
  for await (const _ of sequence.generate(last, { sampling, signal, maxTokens: measured, speculate, onEnd }))
    if (made++ === 0) began = performance.now()
  if (!counts) throw new Error('the engine gave no counts')
  const ms = (performance.now() - began) / (made - 1)
  await sequence.rewind(length)
  return { ms, counts }
}

const children = (): string[] =>
  readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean)

function residentBytes(id: string | undefined): number {
  if (id === undefined) return Number.NaN
  return Number(/^Rss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8'))?.[1]) * 1024
}
