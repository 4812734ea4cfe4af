/** The cause of a failure in one paragraph, in the model's words. */
import type { AgentEvent } from '../../agent/index.ts'

type RunResult = Extract<AgentEvent, { type: 'result' }>

const longest = 1200

/** Asked where a repair came without words: a question, so that no file is touched by the answer. */
export const causeQuestion =
  'The check passes now. What was the cause of the failure? Answer with one paragraph of words, without code.'

/**
 * The paragraph of words that says the cause: the last, where the model was asked to say it there; the first of one that
 * was not asked (a small model explains the mistake, then its repair). Empty where it said nothing: a run without words
 * has the list of its changes as its text.
 */
export function causeOf({ text, changes }: Pick<RunResult, 'text' | 'changes'>, asked: boolean): string {
  if (text === changes.map(({ kind, path }) => `${path}: ${kind}`).join('\n')) return ''
  return asked ? paragraph(text) : cut(paragraphs(text).find((part) => !part.endsWith(':')) ?? '')
}

/** The last paragraph of words that are no code. */
export function paragraph(text: string): string {
  return cut(paragraphs(text).at(-1) ?? '')
}

const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

function paragraphs(text: string): string[] {
  return text
    .replace(/```[\s\S]*?(```|$)/g, '')
    .split(/\n\s*\n/)
    .map((part) => part.replace(/\s+/g, ' ').trim())
    .filter((part) => part !== '')
}
