/** What was sent before: walking through it, searching it, keeping it in a file across sessions. */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A walk through the history: where it stands, and the draft that it left behind. */
export interface Walk {
  /** Index into the entries; `entries.length` is the draft itself. */
  readonly at: number
  readonly draft: string
}

/** The next older entry that differs from what is shown, or undefined at the oldest. */
export function older(entries: readonly string[], walk: Walk | undefined, shown: string): [Walk, string] | undefined {
  const from = walk ?? { at: entries.length, draft: shown }
  for (let at = from.at - 1; at >= 0; at -= 1) {
    const entry = entries[at] as string
    if (entry !== shown) return [{ at, draft: from.draft }, entry]
  }
  return undefined
}

/** The next newer entry, the draft at the end; undefined when no walk is under way. */
export function newer(entries: readonly string[], walk: Walk | undefined): [Walk | undefined, string] | undefined {
  if (walk === undefined) return undefined
  const at = walk.at + 1
  return at >= entries.length ? [undefined, walk.draft] : [{ at, draft: walk.draft }, entries[at] as string]
}

/** Index of the newest entry below `before` that holds the query (case counts only when the query has capitals). */
export function searchBack(entries: readonly string[], query: string, before: number): number | undefined {
  if (query === '') return undefined
  const exact = query !== query.toLowerCase()
  for (let at = Math.min(before, entries.length) - 1; at >= 0; at -= 1) {
    const entry = entries[at] as string
    if ((exact ? entry : entry.toLowerCase()).includes(query)) return at
  }
  return undefined
}

/** Well-known token shapes (GitHub, GitLab, OpenAI and kin, AWS, Google, Slack, npm, PyPI, JWT, keys in PEM), and `password=…`. */
const secrets = [
  /\b(gh[pousr]_|github_pat_)\w{20,}/,
  /\bglpat-[\w-]{20,}/,
  /\bsk-[\w-]{20,}/,
  /\b(AKIA|ASIA)[0-9A-Z]{16}\b/,
  /\bAIza[\w-]{35}/,
  /\bxox[abprs]-[\w-]{10,}/,
  /\bnpm_\w{36}/,
  /\bpypi-[\w-]{50,}/,
  /\bhf_\w{30,}/,
  /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\./,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\b\w*(password|passwd|secret|api_?key|access_?key|auth_?token)\w*["']?\s*[:=]\s*\S{6,}/i,
  /\bauthorization:\s*\S+/i,
  /:\/\/[^\s/:@]+:[^\s/@]+@/,
]

/** Whether a text looks as if it held a secret: such texts are never kept on disk. */
export const looksSecret = (text: string): boolean => secrets.some((secret) => secret.test(text))

const keep = 1000

/** Reads the newest entries; a missing file is an empty history, a broken line is passed over. */
export async function loadHistory(file: string): Promise<string[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    return [] // no history yet, or unreadable: the session works without
  }
  const lines = text.split('\n').filter((line) => line !== '')
  const entries = lines.flatMap((line) => {
    try {
      const entry: unknown = JSON.parse(line)
      return typeof entry === 'string' ? [entry] : []
    } catch {
      return [] // a line cut by a crash
    }
  })
  if (lines.length > 2 * keep) await writeFile(file, entries.slice(-keep).map(lineOf).join(''), { mode: 0o600 })
  return entries.slice(-keep)
}

/** Adds an entry at the end of the file (one line of JSON, so several sessions can write); not when it looks secret. */
export async function saveHistory(file: string, entry: string): Promise<void> {
  if (looksSecret(entry) || entry.length > 20_000) return
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await appendFile(file, lineOf(entry), { mode: 0o600 })
}

const lineOf = (entry: string): string => `${JSON.stringify(entry)}\n`
