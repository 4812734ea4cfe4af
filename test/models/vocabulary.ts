/** Small byte-level BPE vocabularies with the control tokens of a real model family. */
import { bool, type MetaValue, text, u32 } from './gguf.ts'

/** `llama_token_type` in GGUF: ordinary text, control token, user-defined special token. */
const NORMAL = 1
const CONTROL = 3
const USER_DEFINED = 4

export interface Vocabulary {
  readonly tokens: readonly string[]
  readonly types: readonly number[]
  readonly merges: readonly string[]
  readonly pre: string
  /** How many tokens at the end are the extra ones. */
  readonly extra: number
  readonly bos: number
  readonly eos: number
  readonly pad: number
  /** The id of a special token, by its text. */
  readonly special: ReadonlyMap<string, number>
  /** The id of the token for one byte. */
  byte(code: number): number
}

/** GPT-2's printable stand-ins for the 256 bytes. */
const byteLetters: readonly string[] = (() => {
  const letters: string[] = []
  let next = 256
  for (let b = 0; b < 256; b++) {
    const printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174
    letters.push(String.fromCodePoint(printable ? b : next++))
  }
  return letters
})()

const spell = (s: string) => Array.from(Buffer.from(s, 'utf8'), (b) => byteLetters[b] ?? '').join('')

/** Words that get a token of their own, so that text is not all single bytes. */
const words =
  `the of to and a in is it for that with as on be this by from or not are an at if else return function const let
var import export class new await async string number boolean true false null undefined type interface test file line
error value name path user system assistant You helpful code def self print range len src index main package version
hello world add fix bug tests read write edit list search shell run done`.split(/\s+/)

const families = {
  /** Qwen 2.5: ChatML. The call tags are user-defined there, too. */
  qwen: {
    pre: 'qwen2',
    bos: '<|endoftext|>',
    eos: '<|im_end|>',
    pad: '<|endoftext|>',
    special: [
      ['<|endoftext|>', CONTROL],
      ['<|im_start|>', CONTROL],
      ['<|im_end|>', CONTROL],
      ['<tool_call>', USER_DEFINED],
      ['</tool_call>', USER_DEFINED],
      ['<think>', USER_DEFINED],
      ['</think>', USER_DEFINED],
    ],
  },
  deepseek: {
    pre: 'deepseek-v3',
    bos: '<｜begin▁of▁sentence｜>',
    eos: '<｜end▁of▁sentence｜>',
    pad: '<｜▁pad▁｜>',
    special: [
      ['<｜begin▁of▁sentence｜>', CONTROL],
      ['<｜end▁of▁sentence｜>', CONTROL],
      ['<｜▁pad▁｜>', CONTROL],
      ['<｜User｜>', CONTROL],
      ['<｜Assistant｜>', CONTROL],
      ['<think>', USER_DEFINED],
      ['</think>', USER_DEFINED],
      ['｜DSML｜', USER_DEFINED],
    ],
  },
} as const

/** Joins a piece that is a token already to its neighbour: the library takes no text twice. */
function distinct(pieces: readonly string[], known: Set<string>): string[] {
  const result: string[] = []
  let open = ''
  for (const piece of pieces) {
    open += piece
    if (open === '' || known.has(open)) continue
    result.push(open)
    known.add(open)
    open = ''
  }
  if (open === '') return result
  const last = result.pop() ?? ''
  known.delete(last)
  if (last === '') throw new Error(`the reply ${JSON.stringify(open)} is a token of its own: make it longer`)
  return [...result, last + open]
}

/**
 * The vocabulary of a family: 256 bytes, some merged words, the special tokens, then `extra` as ordinary tokens that
 * no text is ever tokenised to (no merge leads there) but that a model can emit.
 */
export function makeVocabulary(family: keyof typeof families, extra: readonly string[]): Vocabulary {
  const { pre, special, bos, eos, pad } = families[family]
  const tokens: string[] = [...byteLetters]
  const known = new Set(tokens)
  const merges: string[] = []
  for (const word of words.flatMap((w) => [w, ` ${w}`])) {
    const letters = [...spell(word)]
    let left = letters[0] ?? ''
    for (const letter of letters.slice(1)) {
      const joined = left + letter
      if (!known.has(joined)) {
        merges.push(`${left} ${letter}`)
        tokens.push(joined)
        known.add(joined)
      }
      left = joined
    }
  }
  const types: number[] = tokens.map(() => NORMAL)
  const ids = new Map<string, number>()
  for (const [name, type] of special) {
    ids.set(name, tokens.length)
    tokens.push(name)
    types.push(type)
  }
  const pieces = distinct(extra.map(spell), new Set(tokens))
  for (const piece of pieces) {
    tokens.push(piece)
    types.push(NORMAL)
  }
  const id = (name: string) => ids.get(name) ?? 0
  return {
    extra: pieces.length,
    tokens,
    types,
    merges,
    pre,
    bos: id(bos),
    eos: id(eos),
    pad: id(pad),
    special: ids,
    byte: (code) => code,
  }
}

export const vocabularyMetadata = (v: Vocabulary): Record<string, MetaValue> => ({
  'tokenizer.ggml.model': text('gpt2'),
  'tokenizer.ggml.pre': text(v.pre),
  'tokenizer.ggml.tokens': { type: 'array', of: 'string', value: v.tokens },
  'tokenizer.ggml.token_type': { type: 'array', of: 'i32', value: v.types },
  'tokenizer.ggml.merges': { type: 'array', of: 'string', value: v.merges },
  'tokenizer.ggml.bos_token_id': u32(v.bos),
  'tokenizer.ggml.eos_token_id': u32(v.eos),
  'tokenizer.ggml.padding_token_id': u32(v.pad),
  'tokenizer.ggml.add_bos_token': bool(false),
})
