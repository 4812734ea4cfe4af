/**
 * `deepseek-v4` (the releases of July and August 2026), `deepseek-v4-preview` (April) and `deepseek-v4.1`: one protocol
 * with three sets of effort words and two spellings of the call tags. Facts: encoding_dsv4.py as published with the
 * models, its later revision, and the V4.1 encoder; the worked examples are in the tests, byte for byte.
 *
 * Tool results have no turn of their own: they join the user's turn. Reasoning of earlier turns is kept. The official
 * encoder drops it only where no tools were ever declared; a session that only grows keeps it there, too.
 */
import type { Dialect, Piece } from '../dialect.ts'
import type { AssistantMessage, Message, SystemMessage } from '../messages.ts'
import { trusted, untrusted } from './chatml.ts'
import {
  absoluteEffort,
  assistantToken,
  beyondEffort,
  bos,
  type DsmlSpelling,
  dsmlToken,
  eos,
  numberedEffort,
  systemToken,
  thinkClose,
  thinkOpen,
  toolsAfter,
  toolsBefore,
  userToken,
} from './deepseek-words.ts'
import { callBlock, toolLines } from './dsml-calls.ts'
import { dsmlParser } from './dsml-parser.ts'
import type { Effort } from './effort.ts'
import { dsmlCalls } from './grammar/tag-calls.ts'
import { speller } from './pieces.ts'

interface Version {
  readonly name: string
  readonly spelling: DsmlSpelling
  /** What stands before the system text with each effort. */
  readonly words: Readonly<Record<Effort, string>>
  /** V4.1 opens the system text with a token. */
  readonly systemToken: boolean
}

const v4Spelling: DsmlSpelling = { block: 'tool_calls', gap: '' }

const versions = {
  'deepseek-v4': {
    name: 'deepseek-v4',
    spelling: v4Spelling,
    words: { off: '', low: '', high: absoluteEffort, max: beyondEffort },
    systemToken: false,
  },
  'deepseek-v4-preview': {
    name: 'deepseek-v4-preview',
    spelling: v4Spelling,
    words: { off: '', low: '', high: '', max: absoluteEffort },
    systemToken: false,
  },
  'deepseek-v4.1': {
    name: 'deepseek-v4.1',
    spelling: { block: 'calls', gap: ' ' },
    // The names' numbers are those of DeepSeek's API; the first encoder had other ones.
    words: { off: '', low: numberedEffort(50), high: numberedEffort(75), max: numberedEffort(100) },
    systemToken: true,
  },
} as const satisfies Readonly<Record<string, Version>>

/** Tokens that the tokeniser knows as special in these versions. */
const specials = [bos, eos, userToken, assistantToken, systemToken, thinkOpen, thinkClose, dsmlToken]

export function deepseekV4(name: keyof typeof versions, effort: Effort): Dialect {
  const version: Version = versions[name]
  const { spelling, words } = version
  const thinking = effort !== 'off'
  const spell = speller(version.systemToken ? specials : specials.filter((token) => token !== systemToken))

  /** The beginning of the prompt, where `message` is its first. */
  function begin(message: Message, previous: Message | undefined): Piece[] {
    if (previous !== undefined) return message.role === 'system' && version.systemToken ? [trusted(systemToken)] : []
    const token = version.systemToken && (message.role === 'system' || words[effort] !== '') ? systemToken : ''
    return spell(`${bos}${token}${words[effort]}`)
  }

  function userTurn(previous: Message | undefined): Piece[] {
    return previous?.role === 'user' || previous?.role === 'tool' ? [untrusted('\n\n')] : [trusted(userToken)]
  }

  function system({ text, tools }: SystemMessage): Piece[] {
    if (tools.length === 0) return [untrusted(text)]
    const before = spell(`\n\n${toolsBefore(spelling)}`)
    return [untrusted(text), ...before, untrusted(toolLines(tools)), ...spell(toolsAfter)]
  }

  function assistant({ reasoning, text, calls }: AssistantMessage): Piece[] {
    const thought = thinking ? [trusted(thinkOpen), untrusted(reasoning)] : []
    const block = calls.length === 0 ? [] : [untrusted('\n\n'), ...callBlock(calls, spelling, spell, true)]
    return [trusted(assistantToken), ...thought, trusted(thinkClose), untrusted(text), ...block, trusted(eos)]
  }

  return {
    name,
    stop: [userToken, bos, ...(version.systemToken ? [systemToken] : [])],
    marks: [thinkOpen, thinkClose, dsmlToken],
    encode(message, previous) {
      const first = begin(message, previous)
      switch (message.role) {
        case 'system':
          return [...first, ...system(message)]
        case 'user':
          return [...first, ...userTurn(previous), untrusted(message.text)]
        case 'tool':
          return [...first, ...userTurn(previous), untrusted(`<tool_result>${message.text}</tool_result>`)]
        case 'assistant':
          return [...first, ...assistant(message)]
        default:
          return message satisfies never
      }
    },
    open: () => [trusted(assistantToken), trusted(thinking ? thinkOpen : thinkClose)],
    close: () => [trusted(eos)],
    parser: (options) => dsmlParser(options, thinking),
    calls: (tools) => dsmlCalls(tools, spelling),
  }
}
