/**
 * Outlines on disk, by the digest of what was outlined: one file of JSON lines, read whole, appended to. Several processes
 * may append at once; a line that does not read back as it was written is left out. It may be deleted at any time.
 */
import { createHash } from 'node:crypto'
import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutlineEntry } from './outline-text.ts'

/** Raised when outlines of the same text become others. */
const format = 3
/** A larger file is begun anew. In bytes. */
const maxBytes = 48 * 1024 * 1024
/** Lines that are written together. */
const together = 200
const delay = 300

export interface OutlineCache {
  /** The kept outline of the text, or a new one, which is kept (also that there is none). */
  get(
    language: string,
    text: string,
    make: () => Promise<OutlineEntry[] | undefined>,
  ): Promise<readonly OutlineEntry[] | undefined>
  flush(): Promise<void>
}

type Packed = readonly (readonly [line: number, depth: number, name: string, signature: string])[]

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22)

export function outlineCache(folder: string): OutlineCache {
  const file = join(folder, `outlines-${format}.jsonl`)
  let lines: string[] = []
  let timer: NodeJS.Timeout | undefined
  let kept: Promise<Map<string, string>> | undefined

  async function write(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (lines.length === 0) return
    const text = lines.join('')
    lines = []
    // What cannot be kept is made again the next time.
    await mkdir(folder, { recursive: true, mode: 0o700 })
      .then(() => appendFile(file, text, { mode: 0o600 }))
      .catch(() => undefined)
  }

  return {
    flush: write,
    async get(language, text, make) {
      kept ??= load(file)
      const known = await kept
      const key = digest(`${language}\0${text}`)
      const found = known.get(key)
      if (found !== undefined) {
        const entries = unpack(found)
        if (entries !== undefined) return entries
      }
      const entries = await make()
      // One that took too long may do better on another day.
      if (entries === undefined) return undefined
      const body = JSON.stringify(entries.map(({ line, depth, name, signature }) => [line, depth, name, signature]))
      known.set(key, body)
      lines.push(`${key} ${digest(body)} ${body}\n`)
      if (lines.length >= together) await write()
      else timer ??= setTimeout(() => void write(), delay)
      return entries
    },
  }
}

async function load(file: string): Promise<Map<string, string>> {
  const known = new Map<string, string>()
  const text = await readFile(file, 'utf8').catch(() => '') // none yet
  if (text.length > maxBytes) {
    await rm(file, { force: true })
    return known
  }
  for (const line of text.split('\n')) {
    const key = line.slice(0, 22)
    const body = line.slice(46)
    if (line.length > 46 && line.slice(23, 45) === digest(body)) known.set(key, body)
  }
  return known
}

/** The line was written by us: its digest says so. */
function unpack(body: string): OutlineEntry[] | undefined {
  return (JSON.parse(body) as Packed).map(([line, depth, name, signature]) => ({ line, depth, name, signature }))
}
