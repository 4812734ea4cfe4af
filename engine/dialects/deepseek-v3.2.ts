/**
 * `deepseek-v3.2`: DSML calls in a `function_calls` block; results follow the reply without a user's turn, and the model
 * thinks again after them. Checked against the template in llama.cpp's sources.
 */
import type { Dialect, Piece } from '../dialect.ts'
import type { AssistantMessage, Message, SystemMessage } from '../messages.ts'
import { trusted, untrusted } from './chatml.ts'
import {
  assistantToken,
  bos,
  type DsmlSpelling,
  dsmlToken,
  eos,
  oldToolsAfter,
  oldToolsBefore,
  thinkClose,
  thinkOpen,
  userToken,
} from './deepseek-words.ts'
import { callBlock, toolLines } from './dsml-calls.ts'
import { dsmlParser } from './dsml-parser.ts'
import type { Effort } from './effort.ts'
import { dsmlCalls } from './grammar/tag-calls.ts'
import { speller } from './pieces.ts'

const spelling: DsmlSpelling = { block: 'function_calls', gap: '' }
const spell = speller([bos, eos, userToken, assistantToken, thinkOpen, thinkClose, dsmlToken])

export function deepseekV32(effort: Effort): Dialect {
  const thinking = effort !== 'off'

  /** Results end with what follows the last of them. */
  const closeResults = (previous: Message | undefined): Piece[] =>
    previous?.role === 'tool' ? [untrusted('\n</function_results>')] : []

  function openTurn(previous: Message | undefined): Piece[] {
    return previous?.role === 'tool' ? [...closeResults(previous), untrusted('\n\n')] : [trusted(assistantToken)]
  }

  function system({ text, tools }: SystemMessage): Piece[] {
    if (tools.length === 0) return [untrusted(text)]
    const before = spell(`${text === '' ? '' : '\n\n'}${oldToolsBefore(spelling)}`)
    return [untrusted(text), ...before, untrusted(toolLines(tools)), ...spell(oldToolsAfter)]
  }

  function assistant({ reasoning, text, calls }: AssistantMessage, previous: Message | undefined): Piece[] {
    const thought = thinking ? [trusted(thinkOpen), untrusted(reasoning)] : []
    const block = calls.length === 0 ? [] : [untrusted('\n\n'), ...callBlock(calls, spelling, spell, false)]
    return [...openTurn(previous), ...thought, trusted(thinkClose), untrusted(text), ...block, trusted(eos)]
  }

  return {
    name: 'deepseek-v3.2',
    stop: [userToken, bos],
    marks: [thinkOpen, thinkClose, dsmlToken],
    encode(message, previous) {
      const first = previous === undefined ? [trusted(bos)] : []
      switch (message.role) {
        case 'system':
          return [...first, ...closeResults(previous), ...system(message)]
        case 'user':
          return [...first, ...closeResults(previous), trusted(userToken), untrusted(message.text)]
        case 'tool': {
          const open = previous?.role === 'tool' ? '' : '\n\n<function_results>'
          return [...first, untrusted(`${open}\n<result>${message.text}</result>`)]
        }
        case 'assistant':
          return [...first, ...assistant(message, previous)]
        default:
          return message satisfies never
      }
    },
    open: (previous) => [...openTurn(previous), trusted(thinking ? thinkOpen : thinkClose)],
    close: () => [trusted(eos)],
    parser: (options) => dsmlParser(options, thinking),
    calls: (tools) => dsmlCalls(tools, spelling),
  }
}
