/** The turns of a chat template, told by what it puts around words that we know. */

/** What `messages` of a template hold here: no tools, for how calls are written is said in the system turn. */
export interface TemplateMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** Renders a conversation; `open`: with the beginning of the assistant's next turn. Throws what the template raises. */
export type Render = (messages: readonly TemplateMessage[], open: boolean) => string

export interface Turns {
  /** Before the system's words; undefined where the template knows no system turn. */
  readonly system: string | undefined
  /** From the system's words to the user's; undefined where there is no system turn. */
  readonly user: string | undefined
  /** Before the user's words where nothing was said before them. */
  readonly first: string
  /** Before the words of a reply that is told again. */
  readonly assistant: string
  /** Before the words of a reply that the model is to make. */
  readonly open: string
  /** What ends a reply; empty where the template has no such mark. */
  readonly end: string
  /** From the end of a reply to the user's next words. */
  readonly next: string
}

/** A template that cannot be used turn by turn. `message` says why. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

const words = {
  system: 'kqsystemwordsqk',
  user: 'kquserwordsqk',
  assistant: 'kqassistantwordsqk',
  user2: 'kquseragainqk',
  assistant2: 'kqassistantagainqk',
  user3: 'kquserlastqk',
}

const system: TemplateMessage = { role: 'system', content: words.system }
const exchange: readonly TemplateMessage[] = [
  { role: 'user', content: words.user },
  { role: 'assistant', content: words.assistant },
]
const later: readonly TemplateMessage[] = [
  { role: 'user', content: words.user2 },
  { role: 'assistant', content: words.assistant2 },
  { role: 'user', content: words.user3 },
]

/** Throws TemplateError where the template fails, drops words, or writes one turn in two ways. */
export function readTurns(render: Render): Turns {
  const first = withSystem(render)
  const before: readonly TemplateMessage[] = first === undefined ? [] : [system]
  const all = rendered(render, [...before, ...exchange, ...later], false)
  const { user, assistant, user2, assistant2, user3 } = words
  const assistantStart = between(all, user, assistant)
  const turnEnd = between(all, assistant, user2)
  if (between(all, user2, assistant2) !== assistantStart || between(all, assistant2, user3) !== turnEnd) {
    throw new TemplateError('it writes earlier turns otherwise than the latest one')
  }
  const end = endOfReply(turnEnd, after(rendered(render, [...before, ...exchange], false), assistant))
  const opened = after(rendered(render, [...before, ...exchange.slice(0, 1)], true), user)
  return {
    system: first,
    user: first === undefined ? undefined : between(all, words.system, user),
    first: upTo(rendered(render, exchange, false), user),
    assistant: assistantStart,
    open: opened === '' ? assistantStart : opened,
    end,
    next: turnEnd.slice(end.length),
  }
}

const mark = /<[^<>\n]{1,40}>|\[[^[\]\n]{1,40}\]/g

/**
 * The mark that ends a reply, of what stands between it and the user's next words. `last`: what stands after the latest
 * reply; templates that put something else there have a mark of its own in between all the same, before the next turn's.
 */
function endOfReply(turnEnd: string, last: string): string {
  const told = last.trimEnd()
  if (told !== '' && turnEnd.startsWith(told)) return told
  const [first, second] = turnEnd.matchAll(mark)
  return first === undefined || second === undefined || turnEnd.slice(0, first.index).trim() !== ''
    ? ''
    : turnEnd.slice(0, first.index + first[0].length)
}

/** What stands before the system's words; undefined where such a turn is refused or left out. */
function withSystem(render: Render): string | undefined {
  let text: string
  try {
    text = render([system, ...exchange], false)
  } catch {
    return undefined // templates without a system turn raise an error of their own
  }
  const at = text.indexOf(words.system)
  return at === -1 || at > text.indexOf(words.user) ? undefined : text.slice(0, at)
}

function rendered(render: Render, messages: readonly TemplateMessage[], open: boolean): string {
  try {
    return render(messages, open)
  } catch (error) {
    throw new TemplateError(`it fails: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function between(text: string, one: string, other: string): string {
  const rest = after(text, one)
  const end = rest.indexOf(other)
  if (end === -1) throw new TemplateError('it leaves out what was said')
  return rest.slice(0, end)
}

function upTo(text: string, word: string): string {
  const at = text.indexOf(word)
  if (at === -1) throw new TemplateError('it leaves out what was said')
  return text.slice(0, at)
}

function after(text: string, word: string): string {
  const at = text.indexOf(word)
  if (at === -1 || text.indexOf(word, at + 1) !== -1) throw new TemplateError('it does not say every word once')
  return text.slice(at + word.length)
}
