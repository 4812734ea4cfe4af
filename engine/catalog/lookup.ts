/** Finds a model in the catalog by its name. */
import { distance } from 'fastest-levenshtein'
import data from './catalog.json' with { type: 'json' }
import type { CatalogEntry } from './entry.ts'

/** Every model of the catalog, the default first. The shape of the data is asserted by a test, not at each start. */
export const catalog = data.models as readonly CatalogEntry[]

/** The name of the model that is used where none is configured. */
export const defaultModelName: string = data.default

/** The entry with this name, in any case of letters. */
export function findEntry(name: string): CatalogEntry | undefined {
  const wanted = name.toLowerCase()
  return catalog.find((entry) => entry.name === wanted)
}

/** The entry that is used where none is configured. */
export function defaultEntry(): CatalogEntry {
  const entry = findEntry(defaultModelName)
  if (entry === undefined) throw new Error(`catalog.json: the default model ${defaultModelName} is not in it`)
  return entry
}

/** The known name most like a mistyped one; undefined when none is near enough to be meant. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase()
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(wanted, candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)
  const best = ranked[0]
  if (best === undefined) return undefined
  const contained = known.find((candidate) => wanted.length >= 3 && candidate.toLowerCase().includes(wanted))
  if (best.edits <= Math.max(2, Math.ceil(wanted.length / 3))) return best.candidate
  if (contained !== undefined) return contained
  // `qwen-coder` for `qwen2.5-coder-1.5b`: every part of the name, in order.
  const parts = wanted.split(/[^a-z0-9]+/).filter((part) => part !== '')
  return wanted.length >= 3 ? known.find((candidate) => holdsInOrder(candidate.toLowerCase(), parts)) : undefined
}

function holdsInOrder(text: string, parts: readonly string[]): boolean {
  let from = 0
  return parts.every((part) => {
    const at = text.indexOf(part, from)
    from = at + part.length
    return at !== -1
  })
}
