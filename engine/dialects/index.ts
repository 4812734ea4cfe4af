/** The dialects by name. The catalog chooses one for each model; nothing is guessed. */
import type { Dialect } from '../dialect.ts'
import { fenced } from './fenced.ts'
import { qwen } from './qwen.ts'

export const dialects: Readonly<Record<string, Dialect>> = { qwen, fenced }

/** Throws with the names there are: an unknown dialect is a mistake in the catalog, a script or the configuration. */
export function dialectByName(name: string): Dialect {
  const dialect = Object.hasOwn(dialects, name) ? dialects[name] : undefined
  if (dialect !== undefined) return dialect
  throw new Error(`There is no dialect "${name}". Known: ${Object.keys(dialects).sort().join(', ')}.`)
}
