/** The cause of a failure in one paragraph, in the model's words. */
import type { AgentEvent } from '../../agent/index.ts'

type RunResult = Extract<AgentEvent, { type: 'result' }>

const longest = 1200

/** Asked where a repair came without words: a question, so that no file is touched by the answer. */
export const causeQuestion =
  'The check passes now. What was the cause of the failure? Answer with one paragraph of words, without code.'

/**
 * The last paragraph of words that are no code: there the model was asked to say the cause. Empty where it said nothing: a
 * run without words has the list of its changes as its text.
 */
export function causeOf({ text, changes }: Pick<RunResult, 'text' | 'changes'>): string {
  if (text === changes.map(({ kind, path }) => `${path}: ${kind}`).join('\n')) return ''
  return paragraph(text)
}

export function paragraph(text: string): string {
  const parts = text
    .replace(/```[\s\S]*?(```|$)/g, '')
    .split(/\n\s*\n/)
    .map((part) => part.replace(/\s+/g, ' ').trim())
    .filter((part) => part !== '')
  const last = parts.at(-1) ?? ''
  return last.length > longest ? `${last.slice(0, longest)}…` : last
}
