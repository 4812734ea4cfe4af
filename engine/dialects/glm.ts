/**
 * `glm`: GLM-4.7 and GLM-4.7-Flash, whose calls are `<tool_call>NAME<arg_key>K</arg_key><arg_value>V</arg_value></tool_call>`.
 * Checked byte for byte against the published template. A turn has no end of its own: the model ends it by the token that
 * begins the next one, which is not kept. Earlier reasoning is kept (the template's `clear_thinking: false`).
 */
import type { Dialect, Piece } from '../dialect.ts'
import type { AssistantMessage, SystemMessage } from '../messages.ts'
import { isRecord } from './arguments.ts'
import { trusted, untrusted } from './chatml.ts'
import type { Effort } from './effort.ts'
import { glmCalls } from './grammar/tag-calls.ts'
import { pythonJson } from './json-text.ts'
import { speller } from './pieces.ts'
import { fixedTags } from './tag-reader.ts'
import type { XmlCalls, XmlRole } from './xml-calls.ts'
import { xmlParser } from './xml-parser.ts'

const tags: Readonly<Record<string, XmlRole>> = {
  '<think>': { type: 'think', close: false },
  '</think>': { type: 'think', close: true },
  '<tool_call>': { type: 'call', close: false },
  '</tool_call>': { type: 'call', close: true },
  '<arg_key>': { type: 'key', close: false },
  '</arg_key>': { type: 'key', close: true },
  '<arg_value>': { type: 'value', close: false },
  '</arg_value>': { type: 'value', close: true },
}

const xml: XmlCalls = {
  ownLines: false,
  nameFirst: true,
  grammar: fixedTags(Object.keys(tags)),
  role: (tag) => tags[tag] ?? { type: 'think', close: true },
}

const begin = '[gMASK]<sop>'
const turns = ['<|system|>', '<|user|>', '<|assistant|>', '<|observation|>', '<|endoftext|>']
const spell = speller(['[gMASK]', '<sop>', ...turns, ...Object.keys(tags), '<tool_response>', '</tool_response>'])

const toolsBefore =
  '# Tools\n\nYou may call one or more functions to assist with the user query.\n\n' +
  'You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n'

const toolsAfter =
  '\n</tools>\n\nFor each function call, output the function name and arguments within the following XML format:\n' +
  '<tool_call>{function-name}<arg_key>{arg-key-1}</arg_key><arg_value>{arg-value-1}</arg_value><arg_key>{arg-key-2}</arg_key><arg_value>{arg-value-2}</arg_value>...</tool_call>'

export function glm(effort: Effort): Dialect {
  const thinking = effort !== 'off'
  return {
    name: 'glm',
    stop: turns,
    marks: Object.keys(tags),
    encode(message, previous) {
      const first = previous === undefined ? spell(begin) : []
      switch (message.role) {
        case 'system':
          return [...first, ...system(message)]
        case 'user':
          return [...first, trusted('<|user|>'), untrusted(message.text)]
        case 'tool': {
          const turn = previous?.role === 'tool' ? [] : [trusted('<|observation|>')]
          return [...first, ...turn, ...spell('<tool_response>'), untrusted(message.text), ...spell('</tool_response>')]
        }
        case 'assistant':
          return [...first, ...assistant(message)]
        default:
          return message satisfies never
      }
    },
    open: () => [trusted('<|assistant|>'), trusted(thinking ? '<think>' : '</think>')],
    close: () => [],
    parser: (options) => xmlParser(options, xml, thinking),
    calls: glmCalls,
  }
}

/** Tools have a system turn of their own, before that of the instructions. */
function system({ text, tools }: SystemMessage): Piece[] {
  const pieces: Piece[] = []
  if (tools.length > 0) {
    pieces.push(
      ...spell(`<|system|>\n${toolsBefore}`),
      untrusted(
        tools
          .map(({ name, description, parameters }) =>
            pythonJson({ type: 'function', function: { name, description, parameters } }),
          )
          .join('\n'),
      ),
      ...spell(toolsAfter),
    )
  }
  return text === '' ? pieces : [...pieces, trusted('<|system|>'), untrusted(text)]
}

function assistant({ reasoning, text, calls }: AssistantMessage): Piece[] {
  const thought = reasoning === '' ? [] : [trusted('<think>'), untrusted(reasoning.trim())]
  const pieces: Piece[] = [trusted('<|assistant|>'), ...thought, trusted('</think>'), untrusted(text.trim())]
  for (const { name, arguments: given } of calls) {
    pieces.push(trusted('<tool_call>'), untrusted(name))
    for (const [key, value] of Object.entries(isRecord(given) ? given : {})) {
      pieces.push(
        ...spell('<arg_key>'),
        untrusted(key),
        ...spell('</arg_key><arg_value>'),
        untrusted(typeof value === 'string' ? value : pythonJson(value)),
        ...spell('</arg_value>'),
      )
    }
    pieces.push(trusted('</tool_call>'))
  }
  return pieces
}
