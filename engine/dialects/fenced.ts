/**
 * `fenced`: ChatML turns in which files, edits and commands are written as code fences, for small models that were not
 * trained on calls (measured: shared/small-model.md; Qwen2.5-Coder-1.5B opened a `<tool_call>` in 1 of 90 runs and
 * answers at once with a fence). The system turn says in a few plain words how to answer, without a schema and without
 * an example that could be copied. What counts as a call: fenced-parser.ts.
 */
import type { Dialect, Piece } from '../dialect.ts'
import type { Message } from '../messages.ts'
import { chatmlStop, closeAssistant, openAssistant, openTurn, trusted, untrusted } from './chatml.ts'
import { languageOf } from './fence-language.ts'
import { fencedParser } from './fenced-parser.ts'
import { replyText, resultText, systemText } from './fenced-words.ts'
import { jsonCalls } from './grammar/json-calls.ts'
import { plainParser } from './plain-parser.ts'
import { withThinking } from './think.ts'

export const fenced: Dialect = {
  name: 'fenced',
  stop: chatmlStop,
  open: openAssistant,
  close: closeAssistant,
  parser: (options) => withThinking(options.tools.length === 0 ? plainParser() : fencedParser(options)),
  fileOpening: (path) => `${path}\n\`\`\`${languageOf(path)}\n`,
  // Only what is written as JSON: a path line or a SEARCH block is read as it comes (docs/dialects.md).
  calls: (tools) => jsonCalls(tools, { holds: false }),
  encode(message: Message, previous: Message | undefined): Piece[] {
    switch (message.role) {
      case 'system':
        return [openTurn('system', previous), trusted('\n'), untrusted(systemText(message))]
      case 'user':
        return [...userTurn(previous), untrusted(message.text)]
      case 'tool':
        return [...userTurn(previous), untrusted(resultText(message))]
      case 'assistant':
        return [openTurn('assistant', previous), trusted('\n'), untrusted(replyText(message)), ...closeAssistant()]
      default:
        return message satisfies never
    }
  },
}

/** Files, task and results that follow each other are one turn: the form in which such a model was measured best. */
function userTurn(previous: Message | undefined): Piece[] {
  if (previous?.role === 'user' || previous?.role === 'tool') return [untrusted('\n\n')]
  return [openTurn('user', previous), trusted('\n')]
}
