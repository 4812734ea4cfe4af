/** What a folder holds, looked up while a path or a text of it is being said. Names are bytes (latin1), as in tokens. */
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import type { GrammarFolder } from '../model.ts'

/** Larger files are not searched. */
const mostBytes = 1_000_000

export class Folder {
  readonly #root: string
  /** The same as bytes. */
  readonly #bytes: string
  readonly #entries = new Map<string, ReadonlyMap<string, Dirent>>()
  readonly #texts = new Map<string, string | undefined>()

  readonly #seen: ReadonlySet<string>

  constructor({ path, seen }: GrammarFolder) {
    this.#root = path
    this.#bytes = Buffer.from(path, 'utf8').toString('latin1')
    this.#seen = new Set(seen)
  }

  /** Whether the path of a file in here can begin so. */
  begins(path: string): boolean {
    if (path === '.' || this.#bytes.startsWith(path)) return true
    const parts = this.#parts(path)
    const last = parts.pop() ?? ''
    const entries = this.#list(parts)
    return entries !== undefined && [...entries.keys()].some((name) => name.startsWith(last))
  }

  /** Whether it is a file: links are not followed. */
  isFile(path: string): boolean {
    return this.#file(this.#parts(path))
  }

  /** A file's text as bytes of UTF-8, with plain newlines; undefined for what is no such file. */
  text(path: string): string | undefined {
    if (!this.#texts.has(path)) this.#texts.set(path, this.#read(path))
    return this.#texts.get(path)
  }

  #read(path: string): string | undefined {
    const parts = this.#parts(path)
    const name = toText(parts.join('/'))
    if (!this.#seen.has(name) || !this.#file(parts)) return undefined
    const bytes = readPlain(join(this.#root, name))
    if (bytes === undefined) return undefined
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
      return Buffer.from(text.replaceAll('\r\n', '\n'), 'utf8').toString('latin1')
    } catch {
      // In another encoding: then nothing is known of it.
      return undefined
    }
  }

  #file(parts: readonly string[]): boolean {
    const name = parts.at(-1) ?? ''
    return this.#list(parts.slice(0, -1))?.get(name)?.isFile() === true
  }

  /** The parts of a path in the spellings that are usual; others (`..`, `a/./b`) name nothing here. */
  #parts(path: string): string[] {
    const own = `${this.#bytes}/`
    return (path.startsWith(own) ? path.slice(own.length) : path.replace(/^\.\//, '')).split('/')
  }

  #list(parts: readonly string[]): ReadonlyMap<string, Dirent> | undefined {
    const path = parts.join('/')
    const known = this.#entries.get(path)
    if (known !== undefined) return known
    if (
      parts.length > 0 &&
      this.#list(parts.slice(0, -1))
        ?.get(parts.at(-1) ?? '')
        ?.isDirectory() !== true
    )
      return undefined
    try {
      const all = readdirSync(join(this.#root, toText(path)), { withFileTypes: true })
      const found = all.filter((entry) => entry.isFile() || entry.isDirectory())
      const entries = new Map(found.map((entry) => [Buffer.from(entry.name, 'utf8').toString('latin1'), entry]))
      this.#entries.set(path, entries)
      return entries
    } catch {
      // Gone or not readable: nothing in it can be named.
      return undefined
    }
  }
}

const toText = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8')

/**
 * The bytes of a regular file that lies where its path says: a command may have put a link or a pipe in the place of it, or of
 * a folder above it, since it was listed. Undefined for every other, and for large ones.
 */
function readPlain(file: string): Buffer | undefined {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stat = fstatSync(descriptor)
    const plain = stat.isFile() && stat.nlink === 1 && stat.size <= mostBytes
    if (!plain || (process.platform === 'linux' && readlinkSync(`/proc/self/fd/${descriptor}`) !== file))
      return undefined
    return readFileSync(descriptor)
  } catch {
    // Gone or not readable.
    return undefined
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
