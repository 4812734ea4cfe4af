/** Which tools a session offers where nobody says so. */
import type { ModelInfo } from '../../engine/index.ts'
import { allTools, type CodeSense, type Tool } from '../../tools/index.ts'
import type { SessionOptions } from '../options.ts'

/** Tools that ask a grammar. A small model that is told of more tools uses the ones it has less well. */
const byGrammar = new Set(['outline', 'symbols'])

export function usualTools({ prompt }: ModelInfo, code: CodeSense | undefined): readonly Tool[] {
  return prompt === 'full' && code !== undefined ? allTools : allTools.filter(({ name }) => !byGrammar.has(name))
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
