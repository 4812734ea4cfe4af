/** Which tools a session offers where nobody says so. */
import type { ModelInfo } from '../../engine/index.ts'
import { allTools, type CodeSense, type Tool } from '../../tools/index.ts'
import type { SessionOptions } from '../options.ts'

/** Tools that ask a grammar. */
const byGrammar = new Set(['outline', 'symbols'])
/** A small model that is told of more tools uses the ones it has less well. */
const forLarge = new Set([...byGrammar, 'explore', 'recall'])

export function usualTools({ prompt }: ModelInfo, code: CodeSense | undefined): readonly Tool[] {
  const out = prompt === 'small' ? forLarge : code === undefined ? byGrammar : new Set<string>()
  return allTools.filter(({ name }) => !out.has(name))
}

/** What a session offers: what was asked for, else the usual ones; and those of other programs. */
export function sessionTools({
  model,
  code,
  tools,
  moreTools = [],
}: Pick<SessionOptions, 'model' | 'code' | 'tools' | 'moreTools'>): readonly Tool[] {
  return [...(tools ?? usualTools(model.info, code)), ...moreTools]
}
