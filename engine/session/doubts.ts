/**
 * Where a model would have written a file otherwise than it stands. The file is read as if the model were giving it as its
 * reply; in each place the model tells what it would have said. What it would rather have said, or nearly, is often what is
 * wrong there: reading costs a fraction of writing, and one reading gives as many answers as one likes.
 * That code is more surprising where it is wrong: Ray et al., "On the naturalness of buggy code" (ICSE 2016).
 */
import type { Alternative, Sequence } from '../engine.ts'
import type { Doubt, DoubtOptions, Usage } from '../model.ts'
import type { SequenceCache } from './cache.ts'
import type { EmbeddedModel } from './embedded-model.ts'
import { isKind } from './failure.ts'
import type { TokenLedger } from './ledger.ts'

/** Tokens looked at in each place. */
const most = 4
/** Tokens of the rest of a line that the model goes on with. */
const longestLine = 48
/** Greedy. */
const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 0 }

interface Doubting {
  readonly model: EmbeddedModel
  readonly ledger: TokenLedger
  readonly cache: SequenceCache
}

/** See ModelSession.doubts; the cache holds the prompt afterwards. */
export async function* doubts(
  { model: { engine, dialect }, ledger, cache }: Doubting,
  options: DoubtOptions & { readonly spent: (usage: Usage) => void },
): AsyncGenerator<Doubt, void> {
  const { path, signal } = options
  const fileOpening = dialect.fileOpening?.(path)
  if (fileOpening === undefined || signal.aborted) return
  const began = performance.now()
  const prompt = [...ledger.tokens, ...(await ledger.opening())]
  const last = prompt.length - 1
  const opening = [...prompt.slice(last), ...(await engine.tokenize(fileOpening, { control: false }))]
  const counts = { read: 0, generated: 0 }
  let cached = 0
  try {
    const sequence = await cache.align(prompt)
    cached = sequence.length
    await sequence.prefill(prompt.slice(cached, last), { signal })
    counts.read = last - cached
    const tokenize = (text: string) => engine.tokenize(text, { control: false })
    yield* alternatives({ sequence, opening, tokenize, counts }, options)
  } catch (error) {
    if (!(isKind(error, 'aborted') && signal.aborted)) {
      await cache.forget()
      throw error
    }
  } finally {
    await cache.sequence?.rewind(Math.min(last, cache.sequence.length))
    cache.holds(prompt)
    const seconds = (performance.now() - began) / 1000
    options.spent({
      ...{ promptTokens: cached + counts.read, cachedTokens: cached, evaluatedTokens: counts.read },
      ...{ generatedTokens: counts.generated, prefillSeconds: seconds, decodeSeconds: 0 },
    })
  }
}

interface Reading {
  /** Holds the prompt but for its last token. Holds more afterwards. */
  readonly sequence: Sequence
  /** The prompt's last token, and those of the reply up to where the file begins. */
  readonly opening: readonly number[]
  readonly tokenize: (text: string) => Promise<readonly number[]>
  readonly counts: { read: number; generated: number }
}

async function* alternatives(
  { sequence, opening, tokenize, counts }: Reading,
  { content, lines, first, signal, weighed = 0, least = Number.NEGATIVE_INFINITY }: DoubtOptions,
): AsyncGenerator<Doubt, void> {
  const bytes = Buffer.from(content)
  const ends = lineEnds(bytes)
  const last = ends[Math.max(...lines) - 1] ?? bytes.length
  const read = [...opening, ...(await tokenize(bytes.subarray(0, last).toString()))]
  const start = sequence.length
  const found = await sequence.score(read, { most, signal })
  counts.read += read.length - 1

  /** Byte at which each token begins. */
  const begins: number[] = []
  found.bytes.reduce((at, length, i) => {
    begins.push(at)
    return i < opening.length ? 0 : at + length
  }, 0)

  async function* inTurn(): AsyncGenerator<Doubt, void> {
    const told = new Set([plain(content)])
    const lineAt = ({ at }: Alternative): number => lineOf(ends, begins[at] ?? 0)
    const rank = (alternative: Alternative): number => (first?.has(lineAt(alternative)) === true ? 0 : 1)
    const wanted = found.alternatives
      .filter(({ at, logprob }) => at >= opening.length && logprob >= least)
      .filter((alternative) => lines.has(lineAt(alternative)))
      .sort((one, other) => rank(one) - rank(other) || other.logprob - one.logprob)
    for (const alternative of wanted) {
      if (signal.aborted) return
      const begin = begins[alternative.at] ?? 0
      const written = await rest(sequence, start + alternative.at, alternative, signal)
      counts.generated += written.tokens
      // The end of its reply is nothing to put into a file.
      if (written.text.trimStart().startsWith('```')) continue
      const end = begin + (found.bytes[alternative.at] ?? 0)
      for (const text of variants(bytes, begin, end, alternative.text, written.text)) {
        const key = plain(text)
        if (told.has(key)) continue
        told.add(key)
        yield { content: text, line: lineOf(ends, begin), logprob: alternative.logprob }
      }
    }
  }

  /** How much likelier the file is with it than as it stands, from its line on (natural logarithm). */
  async function gainOf(doubt: Doubt): Promise<number> {
    const from = begins.findLastIndex((begin, i) => i >= opening.length && begin <= (ends[doubt.line - 2] ?? 0))
    const text = Buffer.from(doubt.content)
    const rest = text.subarray(begins[from], text.length - (bytes.length - last)).toString()
    const tokens = [read[from - 1] ?? 0, ...(await tokenize(rest))]
    const fork = await sequence.fork()
    try {
      await fork.rewind(start + from - 1)
      const { logprobs } = await fork.score(tokens, { most: 0, signal })
      counts.read += tokens.length - 1
      return sum(logprobs.subarray(1)) - sum(found.logprobs.subarray(from))
    } finally {
      await fork.close()
    }
  }

  const all = inTurn()
  const some: { readonly doubt: Doubt; readonly gain: number }[] = []
  while (some.length < weighed) {
    const next = await all.next()
    if (next.done === true) break
    some.push({ doubt: next.value, gain: await gainOf(next.value) })
  }
  for (const { doubt } of some.sort((one, other) => other.gain - one.gain)) yield doubt
  yield* all
}

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0)

/** The alternative, and how the model would go on to the end of the line; of a text that ends a line to that of the next. */
async function rest(
  sequence: Sequence,
  length: number,
  { token, text: first }: Alternative,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly tokens: number }> {
  const fork = await sequence.fork()
  let text = first
  let tokens = 0
  try {
    await fork.rewind(length)
    for await (const next of fork.generate(token, { sampling, maxTokens: longestLine, signal })) {
      tokens += 1
      if (next.end) break
      text += next.text
      if (next.text.trimStart().includes('\n')) break
    }
  } finally {
    await fork.close()
  }
  return { text, tokens }
}

/** What the model's words in a place of the text (bytes `begin` to `end` are the token there) could mean, as new texts. */
function variants(bytes: Buffer, begin: number, end: number, alternative: string, written: string): string[] {
  const before = bytes.subarray(0, begin).toString()
  const old = bytes.subarray(begin, end).toString()
  const newline = bytes.indexOf(10, begin)
  const rest = bytes.subarray(begin, newline < 0 ? bytes.length : newline).toString()
  const after = bytes.subarray(begin + Buffer.byteLength(rest)).toString()
  if (alternative.includes('\n')) {
    // The line ends here; where it does so already, another one may follow.
    const [line, ...more] = [alternative.slice(0, alternative.indexOf('\n')), ...written.split('\n').slice(1)]
    const next = more.find((each) => each.trim() !== '')
    const follows = after.split('\n').find((each) => each.trim() !== '')
    const cut = `${before}${line}${after}`
    if (!old.includes('\n') || next === undefined || next.trim() === follows?.trim()) return [cut]
    return [cut, `${before}${line}\n${withoutRemark(next, '')}${after}`]
  }
  const lineStart = before.lastIndexOf('\n') + 1
  const head = before.slice(lineStart)
  const line = withoutRemark(written.split('\n', 1)[0] ?? '', rest)
  // Never two lines in one.
  const exchanged = old.includes('\n') ? [] : [`${before}${alternative}${bytes.subarray(end).toString()}`]
  const texts = [`${before}${line}${after}`, ...exchanged]
  if (head.trim() !== '' || rest.trim() === '') return texts
  // A line begins here: the new one may belong before the old one, or be the next one already.
  const following = after.slice(1).split('\n', 1)[0] ?? ''
  if (`${head}${line}`.trim() === following.trim()) return [`${before.slice(0, lineStart)}${after.slice(1)}`]
  return [...texts, `${before}${line}\n${head}${rest}${after}`]
}

/** A model likes to tell what it changed, behind it. */
const remark = /\s+(?:#|\/\/)\s[^'"`]*$/
const withoutRemark = (line: string, old: string): string => (remark.test(old) ? line : line.replace(remark, ''))

/** Blanks within a line and at its end make no other text. */
const plain = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replace(/(?<=\S)\s+/g, ' ').trimEnd())
    .filter((line) => line !== '')
    .join('\n')

/** Of each line the byte after it. */
function lineEnds(bytes: Buffer): number[] {
  const ends: number[] = []
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) ends.push(at + 1)
  if (ends.at(-1) !== bytes.length) ends.push(bytes.length)
  return ends
}

/** From 1. */
function lineOf(ends: readonly number[], byte: number): number {
  const index = ends.findIndex((end) => byte < end)
  return index < 0 ? ends.length : index + 1
}
