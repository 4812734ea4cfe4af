/**
 * `qwen`: ChatML with Hermes-style JSON calls, as the chat template published with Qwen2.5-Instruct writes them
 * (tokenizer_config.json; checked byte for byte in the tests; QwQ and Qwen3 have the same words, the template in the
 * Qwen2.5-Coder GGUFs differs by doubled braces in the example, an escape left over). Replies may
 * begin with `<think>` (Qwen3). The reasoning of earlier replies is not encoded again; sampled tokens keep it.
 */
import type { Dialect, Piece } from '../dialect.ts'
import type { AssistantMessage, Message, SystemMessage } from '../messages.ts'
import { chatmlStop, closeAssistant, openAssistant, openTurn, trusted, untrusted } from './chatml.ts'
import { jsonCalls } from './grammar/json-calls.ts'
import { pythonJson } from './json-text.ts'
import { plainParser } from './plain-parser.ts'
import { qwenParser } from './qwen-parser.ts'
import { withThinking } from './think.ts'

export const qwen: Dialect = {
  name: 'qwen',
  stop: chatmlStop,
  open: openAssistant,
  close: closeAssistant,
  parser: ({ tools }) =>
    tools.length === 0 ? withThinking(plainParser()) : withThinking(qwenParser(), { callTag: '<tool_call>' }),
  calls: (tools) => jsonCalls(tools, { holds: true }),
  encode(message: Message, previous: Message | undefined): Piece[] {
    switch (message.role) {
      case 'system':
        return [openTurn('system', previous), trusted('\n'), ...systemText(message)]
      case 'user':
        return [openTurn('user', previous), trusted('\n'), untrusted(message.text)]
      case 'assistant':
        return [openTurn('assistant', previous), ...assistantText(message), ...closeAssistant()]
      case 'tool': {
        const turn = previous?.role === 'tool' ? [] : [openTurn('user', previous)]
        return [...turn, trusted('\n<tool_response>\n'), untrusted(message.text), trusted('\n</tool_response>')]
      }
      default:
        return message satisfies never
    }
  },
}

function systemText({ text, tools }: SystemMessage): Piece[] {
  if (tools.length === 0) return [untrusted(text)]
  return [
    untrusted(text),
    trusted(
      '\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\n' +
        'You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n',
    ),
    // Descriptions may come from elsewhere one day (MCP), so they are no control text.
    untrusted(
      tools
        .map(({ name, description, parameters }) =>
          pythonJson({ type: 'function', function: { name, description, parameters } }),
        )
        .join('\n'),
    ),
    trusted(
      '\n</tools>\n\nFor each function call, return a json object with function name and arguments within ' +
        '<tool_call></tool_call> XML tags:\n<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>',
    ),
  ]
}

function assistantText({ text, calls }: AssistantMessage): Piece[] {
  const pieces: Piece[] = []
  if (text !== '' || calls.length === 0) pieces.push(trusted('\n'), untrusted(text))
  for (const call of calls) {
    pieces.push(
      trusted('\n<tool_call>\n'),
      untrusted(`{"name": ${JSON.stringify(call.name)}, "arguments": ${pythonJson(call.arguments)}}`),
      trusted('\n</tool_call>'),
    )
  }
  return pieces
}
