/** Where a model would have written a file otherwise: what becomes of what it says, and that nothing of it stays. */
import { expect, test } from 'vitest'
import {
  type Alternative,
  type Doubt,
  dialectByName,
  type Engine,
  type GeneratedToken,
  openEmbedded,
  openEngine,
  type Sequence,
  type Usage,
} from '../../../engine/index.ts'
import { makeModel } from '../../models/index.ts'

const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
const info = { name: 'tiny', finishes: 'edits', prompt: 'small' } as const
const question = [{ name: 'conversation' as const, messages: [{ role: 'user' as const, text: 'Mend it.' }] }]

/**
 * An engine whose tokens are characters. `says`: at a place in the content (its first line's first character is 0), the text
 * that the model would rather have there, with what it goes on with.
 */
/** A character that the model would not have said. */
const dull = '§'

function engineOf(says: readonly (readonly [at: number, token: string, rest: string, logprob: number])[]) {
  const sequence = (start: readonly number[] = []): Sequence => {
    const held = [...start]
    return {
      get length() {
        return held.length
      },
      get evaluated() {
        return held.length
      },
      async prefill(tokens) {
        held.push(...tokens)
      },
      async *generate(last): AsyncGenerator<GeneratedToken> {
        for (const char of says[last - 1_000_000]?.[2] ?? '') yield { token: 1, text: char, end: false }
      },
      async score(tokens) {
        held.push(...tokens.slice(0, -1))
        const opening = tokens.length - lengthOf(tokens)
        const alternatives = says.map(
          ([at, text, , logprob], index): Alternative => ({
            at: opening + at,
            token: 1_000_000 + index,
            text,
            logprob,
          }),
        )
        return {
          alternatives,
          bytes: Int32Array.from(tokens, (token) => Buffer.byteLength(String.fromCodePoint(token))),
          logprobs: Float32Array.from(tokens, (token) => (String.fromCodePoint(token) === dull ? -5 : -1)),
        }
      },
      checkpoint: async () => undefined,
      async rewind(length) {
        held.length = length
      },
      fork: async () => sequence(held),
      save: async () => undefined,
      load: async () => [],
      close: async () => undefined,
    }
  }
  /** How many of the tokens, from the end, are the content's beginning. */
  const lengthOf = (tokens: readonly number[]): number => {
    const text = String.fromCodePoint(...tokens)
    return text.length - text.indexOf('```python\n') - '```python\n'.length
  }
  const engine: Engine = {
    info: {
      ...{ libraryVersion: '', architecture: '', vocabularySize: 0, contextTokens: 10_000, rewind: 'free' },
      ...{ identity: '', stateKey: '' },
    },
    tokenize: async (text) => Array.from(text, (char) => char.codePointAt(0)!),
    sequence: async () => sequence(),
    close: async () => undefined,
  }
  return engine
}

async function doubtsOf(
  content: string,
  says: Parameters<typeof engineOf>[0],
  lines: readonly number[] = [1, 2, 3],
  weighed = 0,
  first: readonly number[] = [],
  least?: number,
): Promise<Doubt[]> {
  const engine = engineOf(says)
  const model = openEmbedded({ engine, dialect: dialectByName('fenced'), info, sampling })
  const session = await model.start(question)
  const found: Doubt[] = []
  const { signal } = new AbortController()
  for await (const doubt of session.doubts!({
    path: 'x.py',
    weighed,
    content,
    lines: new Set(lines),
    first: new Set(first),
    ...(least !== undefined && { least }),
    signal,
    spent: () => undefined,
  }))
    found.push(doubt)
  return found
}

const content = 'def f(x):\n    y = x < 1\n    return y\n'
const place = (of: string): number => content.indexOf(of)

test('the line as the model goes on with it, then the one word exchanged; likeliest first', async () => {
  const found = await doubtsOf(content, [
    [place('1'), '0', ' or x\n', -2],
    [place('<'), '>', ' 2\n    return', -0.5],
  ])
  expect(found.map(({ content, line, logprob }) => [content.split('\n')[1], line, logprob])).toEqual([
    ['    y = x > 2', 2, -0.5],
    ['    y = x > 1', 2, -0.5],
    ['    y = x < 0 or x', 2, -2],
    ['    y = x < 0', 2, -2],
  ])
})

test('lines that are to be first come before what is likelier elsewhere', async () => {
  const says = [
    [place('x <'), 'z', ' < 1\n', -0.1],
    [place('y\n'), 'x', '\n', -3],
    [place('return'), 'w', ' y\n', -5],
  ] as const
  const linesOf = async (first: readonly number[]) =>
    (await doubtsOf(content, says, [1, 2, 3], 0, first)).map(({ line }) => line)
  expect((await linesOf([]))[0]).toBe(2)
  const named = await linesOf([3])
  expect(named.indexOf(2)).toBeGreaterThan(named.lastIndexOf(3))
})

test('what is less likely than is asked for is not told of', async () => {
  const says = [
    [place('1'), '0', '\n', -2],
    [place('<'), '>', ' 2\n', -6],
  ] as const
  expect((await doubtsOf(content, says)).length).toBeGreaterThan(1)
  expect(await doubtsOf(content, says, [1, 2, 3], 0, [], -5)).toMatchObject([{ logprob: -2 }])
})

test('where a line begins, a new one may stand before it, and one that is the next already takes its place', async () => {
  const inserted = await doubtsOf(content, [[place('return'), 'y', ' += 1  # and one\n', -1]])
  expect(inserted.map((doubt) => doubt.content)).toContain('def f(x):\n    y = x < 1\n    y += 1\n    return y\n')
  const dropped = await doubtsOf(content, [[place('y ='), 'r', 'eturn y\n', -1]])
  expect(dropped.map((doubt) => doubt.content)).toEqual(['def f(x):\n    return y\n'])
})

test('where a line ends, another one may follow', async () => {
  const found = await doubtsOf(content, [[place('\n    return'), '\n', '    y = not y\n', -1]])
  expect(found.map((doubt) => doubt.content)).toEqual(['def f(x):\n    y = x < 1\n    y = not y\n    return y\n'])
})

test('none twice, none that only differs in blanks, and none on a line that was not asked about', async () => {
  const says = [
    [place('<'), '>', ' 1\n', -1],
    [place('\n    return'), ' ', '\n', -1],
    [0, 'c', 'lass f:\n', -1],
  ] as const
  const found = await doubtsOf(content, says, [2, 3])
  expect(found.map((doubt) => doubt.content.split('\n')[1])).toEqual(['    y = x > 1'])
})

test('weighed, the one with which the whole file is likelier comes first; what was not weighed comes after', async () => {
  const text = 'a = 1\nb = 2\nc = 3\n'
  const says = [
    [text.indexOf('1'), dull, '\n', -0.1],
    [text.indexOf('2'), '5', '\n', -1],
    [text.indexOf('3'), '6', '\n', -2],
  ] as const
  const changed = async (weighed: number) =>
    (await doubtsOf(text, says, [1, 2, 3], weighed)).map((doubt) => doubt.content.replace(/\n/g, ';'))
  const [first, second, third] = [`a = ${dull};b = 2;c = 3;`, 'a = 1;b = 5;c = 3;', 'a = 1;b = 2;c = 6;']
  expect(await changed(0)).toEqual([first, second, third])
  expect(await changed(2)).toEqual([second, first, third])
})

test('bytes and characters are kept apart', async () => {
  const text = 'a = "äöü"\nb = 1\n'
  const found = await doubtsOf(text, [[text.indexOf('1'), '2', '\n', -1]], [1, 2])
  expect(found.map((doubt) => doubt.content)).toEqual(['a = "äöü"\nb = 2\n'])
})

test('on the real engine: what stands otherwise is found, and the session answers after it as before', async () => {
  const pieces = ['src/x.py\n', '```', 'python\n', 'x = ', '1\n', '```\n']
  const { file } = makeModel('tiny-moe-copy', { reply: pieces })
  const engine = await openEngine({ file, contextTokens: 4096, threads: 1, sequences: 3 })
  const model = openEmbedded({ engine, dialect: dialectByName('fenced'), info, sampling })
  try {
    const { signal } = new AbortController()
    const answer = async (from: Awaited<ReturnType<typeof model.start>>) => {
      for await (const event of from.respond({ signal, maxTokens: 64 })) if (event.type === 'done') return event
      throw new Error('no end')
    }
    const session = await model.start(question)
    const spent: Usage[] = []
    const about = { path: 'src/x.py', content: 'x = 2\n', lines: new Set([1]), signal }
    const found: Doubt[] = []
    for await (const doubt of session.doubts!({ ...about, spent: (usage) => spent.push(usage) })) found.push(doubt)
    // After a line's end this model begins its reply, and after each other byte it says the next one.
    expect(found.map((doubt) => doubt.content)).toEqual(expect.arrayContaining(['src/x.py\n', 'xy= 2\n', 'x =>2\n']))
    expect(found.every(({ line, content }) => line === 1 && content.endsWith('\n'))).toBe(true)
    expect(spent).toHaveLength(1)
    expect(spent[0]!.evaluatedTokens).toBeGreaterThan(spent[0]!.promptTokens - spent[0]!.cachedTokens - 1)
    expect(session.usage.generatedTokens).toBe(spent[0]!.generatedTokens)
    const after = await answer(session)
    expect(after.message.text).toContain('x = 1\n')
    // The prompt had been read for the doubts.
    expect(after.usage.evaluatedTokens).toBe(1)
    expect(after.message.sampled).toEqual((await answer(await model.start(question))).message.sampled)
    const stop = AbortSignal.abort()
    const none = session.doubts!({ ...about, signal: stop, spent: () => undefined })
    expect((await none[Symbol.asyncIterator]().next()).done).toBe(true)
  } finally {
    await model.close()
  }
})
