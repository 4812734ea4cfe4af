/** The grammar that a reply's calls are held to. */
import type { CallGrammar, Dialect } from '../dialect.ts'
import type { Grammar } from '../engine.ts'
import type { ToolSpec } from '../messages.ts'
import type { GrammarFolder } from '../model.ts'

/** A session asks with the same list for every reply, and some dialects' grammars take 10 ms to write. */
const made = new WeakMap<readonly ToolSpec[], Map<string, CallGrammar | undefined>>()

/** `folder`: what the paths in calls are of. Undefined: the reply is free. */
export function grammarOf(
  dialect: Dialect,
  tools: readonly ToolSpec[],
  folder: GrammarFolder | undefined,
): Grammar | undefined {
  if (dialect.calls === undefined || tools.length === 0) return undefined
  const known = made.get(tools) ?? new Map<string, CallGrammar | undefined>()
  made.set(tools, known)
  if (!known.has(dialect.name)) known.set(dialect.name, dialect.calls(tools))
  const calls = known.get(dialect.name)
  return calls && { ...calls, ...(folder !== undefined && { folder }) }
}
