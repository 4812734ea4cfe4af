/** Places in files that a log complains of. */
import { realpathSync, statSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { plainText } from '../../sandbox/index.ts'

export interface Place {
  /** Relative to the work tree, with `/`. */
  readonly path: string
  readonly line: number
  readonly column?: number
  /** The line of the log that names it, or the complaint near it. */
  readonly message: string
}

const most = 10
/** `path:12:5`, `path(12,5)`, and Python's `File "path", line 12`. Bounded, so that a hostile line costs nothing. */
const named =
  /(?:file:\/\/)?((?:\/|\.{0,2}\/)?[\w@+.-]{1,100}(?:\/[\w@+.-]{1,100}){0,20}\.\w{1,8})(?::(\d{1,7})(?::(\d{1,5}))?|\((\d{1,7})(?:,(\d{1,5}))?\))/
const python = /File "([^"\n]{1,400})", line (\d{1,7})/
const complaint = /\b(error|\w*Error|\w*Exception|FAIL(ED)?|not ok|panicked)\b|[!=]==? |^\s*[✖×✗] /

/** The first ten places of a log that are lines of files of the work tree; each file and line once. */
export function placesIn(log: string, root: string): Place[] {
  const lines = plainText(log).split('\n')
  const found = new Map<string, Place>()
  for (const [at, raw] of lines.entries()) {
    if (found.size >= most) break
    const line = raw.slice(0, 1000)
    const match = python.exec(line) ?? named.exec(line)
    if (match === null) continue
    const [, name = '', lineNumber = match[4] ?? '', column = match[5]] = match
    const path = fileOf(name, root)
    if (path === undefined || lineNumber === '' || found.has(`${path}:${lineNumber}`)) continue
    const near = [line, ...lines.slice(at + 1, at + 4), ...lines.slice(Math.max(0, at - 8), at).reverse()]
    const message = (near.find((text) => complaint.test(text)) ?? line).trim().slice(0, 300)
    found.set(`${path}:${lineNumber}`, {
      ...{ path, line: Number(lineNumber), message },
      ...(column !== undefined && { column: Number(column) }),
    })
  }
  return [...found.values()]
}

/** Undefined for what is no file of the work tree. */
function fileOf(name: string, root: string): string | undefined {
  try {
    const file = realpathSync(resolve(root, name))
    const path = relative(root, file).replaceAll('\\', '/')
    if (path.startsWith('..') || /(^|\/)(node_modules|\.git|site-packages)\//.test(path)) return undefined
    return statSync(file).isFile() ? path : undefined
  } catch {
    return undefined // no such file here
  }
}
