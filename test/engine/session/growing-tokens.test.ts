/** A text that grows is not tokenised from its beginning each time, and gives the tokens of the whole all the same. */
import { expect, test } from 'vitest'
import { growingTokens } from '../../../engine/session/growing-tokens.ts'

/** How Qwen, GPT-4 and DeepSeek cut a text before they look for tokens. */
const words =
  /'(?:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/giu

function tokenizer() {
  const ids = new Map<string, number>()
  let characters = 0
  return {
    asked: () => characters,
    async tokenize(text: string): Promise<number[]> {
      characters += text.length
      return (text.match(words) ?? []).map((word) => {
        ids.set(word, ids.get(word) ?? ids.size)
        return ids.get(word) ?? 0
      })
    },
  }
}

const free = { control: false }
const endings = ['', 'a', ' a', '\n', '.']
/** Lines as programs print them: indented, empty, of dashes, with carriage returns, in other scripts. */
const output = Array.from(
  { length: 400 },
  (_, n) =>
    [`✓ case ${n} (3 ms)`, `    at line ${n}`, '', '-----', `ok ${n}\r`, `テスト ${n}`, `wrote ${n} files`][n % 7]!,
).join('\n')

test('the tokens are those of the whole text, wherever it stands still', async () => {
  const plain = tokenizer()
  const growing = growingTokens(plain)
  for (let at = 0; at <= output.length; at += 37)
    for (const ending of endings) {
      const text = output.slice(0, at) + ending
      expect(await growing.tokenize(text, free)).toEqual(await plain.tokenize(text))
    }
})

test('each line is given to the tokenizer about once, however often the text is asked for', async () => {
  const plain = tokenizer()
  const growing = growingTokens(plain)
  for (let at = 1000; at <= output.length; at += 40)
    for (const ending of endings) await growing.tokenize(output.slice(0, at) + ending, free)
  // Not the whole text five times for every step; the line that is being written comes again.
  const steps = (output.length - 1000) / 40
  expect(plain.asked()).toBeLessThan(output.length + steps * endings.length * 120)
})

test('another text, a shorter one, and control text are given as they are', async () => {
  const plain = tokenizer()
  const growing = growingTokens(plain)
  await growing.tokenize(output, free)
  const other = `other\n${output}`
  expect(await growing.tokenize(other, free)).toEqual(await plain.tokenize(other))
  expect(await growing.tokenize(output.slice(0, 1500), free)).toEqual(await plain.tokenize(output.slice(0, 1500)))
  expect(await growing.tokenize('short', free)).toEqual(await plain.tokenize('short'))
  expect(await growing.tokenize(output, { control: true })).toEqual(await plain.tokenize(output))
})
