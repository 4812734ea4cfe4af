/**
 * `template`: the turns of a model file's own Jinja chat template (`tokenizer.chat_template`), for models that no other
 * dialect knows. Only the turns are the template's: how such a model was trained to write calls is not known, so that
 * they are written and read as in `fenced`, which takes fences, JSON and `<tool_call>` alike.
 */
import { runInNewContext } from 'node:vm'
import type { Dialect, Piece } from '../dialect.ts'
import type { Message } from '../messages.ts'
import { isRecord } from './arguments.ts'
import { trusted, untrusted } from './chatml.ts'
import { fencedParser } from './fenced-parser.ts'
import { replyText, resultText, systemText } from './fenced-words.ts'
import { plainParser } from './plain-parser.ts'
import { withThinking } from './think.ts'
import { readTurns, TemplateError, type TemplateMessage, type Turns } from './turns.ts'

/** A template as a file has it, with the texts of the tokens that it may name. */
export interface FileTemplate {
  readonly template: string
  /** Empty where the file has none. */
  readonly bos: string
  readonly eos: string
  /** Whether the model wants `bos` first, whatever its template says. */
  readonly addBos: boolean
}

/** Rejects with TemplateError for a template that cannot be read or cannot be used turn by turn. */
export async function templateDialect({ template, bos, eos, addBos }: FileTemplate): Promise<Dialect> {
  const { Template } = await import('@huggingface/jinja')
  let parsed: InstanceType<typeof Template> | undefined
  const turns = withinTime(() =>
    readTurns((messages: readonly TemplateMessage[], open: boolean) => {
      parsed ??= new Template(template)
      return parsed.render({ messages, add_generation_prompt: open, bos_token: bos, eos_token: eos })
    }),
  )
  const start = addBos && !(turns.system ?? turns.first).startsWith(bos) ? bos : ''
  return dialectOf(turns, start)
}

/** The longest published templates take some milliseconds; more is only wanted by one that loops. */
const mostMilliseconds = 2_000

/**
 * A template is a program of somebody else's. What it does is not asynchronous, so that nothing of ours would run any more
 * beside it, no Ctrl-C either: the engine of JavaScript ends it.
 */
function withinTime(read: () => Turns): Turns {
  let turns: Turns | undefined
  const run = (): void => {
    turns = read()
  }
  try {
    runInNewContext('run()', { run }, { timeout: mostMilliseconds })
  } catch (error) {
    // Not an Error of this context.
    if (isRecord(error) && error['code'] === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new TemplateError(`it takes more than ${mostMilliseconds / 1000} seconds`, { cause: error })
    throw error
  }
  if (turns === undefined) throw new TemplateError('it gives nothing')
  return turns
}

function dialectOf(turns: Turns, start: string): Dialect {
  /** From the end of `previous` to the user's words: what follows each other on the user's side is one turn. */
  const user = (previous: Message | undefined): Piece => {
    switch (previous?.role) {
      case undefined:
        return trusted(start + turns.first)
      case 'system':
        // Without a system turn the words of the system are the first of the user's.
        return turns.user === undefined ? untrusted('\n\n') : trusted(turns.user)
      case 'assistant':
        return trusted(turns.next)
      default:
        return untrusted('\n\n')
    }
  }
  const assistant = (previous: Message | undefined, words: string): Piece[] => {
    const inUsersTurn = previous?.role === 'user' || previous?.role === 'tool'
    return inUsersTurn ? [trusted(words)] : [user(previous), trusted(words)]
  }
  const opened = turns.open.trimEnd().endsWith('<think>')
  const close = (): Piece[] => (turns.end === '' ? [] : [trusted(turns.end)])
  return {
    name: 'template',
    stop: turns.end === '' ? [] : [turns.end],
    open: (previous) => assistant(previous, turns.open),
    close,
    parser: (options) => withThinking(options.tools.length === 0 ? plainParser() : fencedParser(options), { opened }),
    encode(message, previous) {
      switch (message.role) {
        case 'system':
          return [trusted(start + (turns.system ?? turns.first)), untrusted(systemText(message))]
        case 'user':
          return [user(previous), untrusted(message.text)]
        case 'tool':
          return [user(previous), untrusted(resultText(message))]
        case 'assistant':
          return [...assistant(previous, turns.assistant), untrusted(replyText(message)), ...close()]
        default:
          return message satisfies never
      }
    },
  }
}
