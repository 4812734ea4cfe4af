/**
 * The `*** Begin Patch` format, as Codex and its kin write it:
 * `*** Add File:`, `*** Delete File:`, `*** Update File:` with `*** Move to:`, hunks of `@@` and ` `, `-`, `+` lines.
 */
import { HunkBuilder } from './hunk-builder.ts'
import { type FileOperation, type Hunk, PatchError } from './types.ts'

const header = /^\s*\*\*\* (Add|Delete|Update) File: ?(.+?)\s*$/
const move = /^\s*\*\*\* Move to: ?(.+?)\s*$/
const range = /^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@ ?(.*)$/

/** Throws PatchError. Text around the patch (a heredoc, a fence) is passed over. */
export function parseBeginPatch(text: string): FileOperation[] {
  const lines = withinMarkers(text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line)))
  const operations: FileOperation[] = []
  let at = 0
  while (at < lines.length) {
    const line = lines[at]!
    if (line.trim() === '') {
      at += 1
      continue
    }
    const [, kind, path] = header.exec(line) ?? []
    if (!kind || !path) {
      throw new PatchError(
        `Cannot read ${JSON.stringify(line.slice(0, 100))} in the patch: a file begins with *** Add File: PATH, *** Update File: PATH or *** Delete File: PATH.`,
      )
    }
    const end = lines.findIndex((other, i) => i > at && other.startsWith('*** ') && header.test(other))
    const body = lines.slice(at + 1, end < 0 ? undefined : end)
    operations.push(fileOperation(kind, path, body))
    at = end < 0 ? lines.length : end
  }
  if (operations.length === 0) throw new PatchError('The patch is empty: it changes no file.')
  return operations
}

function withinMarkers(lines: readonly string[]): string[] {
  const begin = lines.findIndex((line) => line.trim() === '*** Begin Patch')
  const end = lines.findLastIndex((line) => line.trim() === '*** End Patch')
  if (end < 0) throw new PatchError('The patch has no line *** End Patch: it looks cut off. Write it whole.')
  return lines.slice(begin + 1, end)
}

function fileOperation(kind: string, path: string, body: readonly string[]): FileOperation {
  switch (kind) {
    case 'Add':
      return { kind: 'add', path, text: addedText(path, body) }
    case 'Delete':
      if (body.some((line) => line.trim() !== '')) {
        throw new PatchError(`*** Delete File: ${path} must not be followed by lines of the file.`)
      }
      return { kind: 'delete', path }
    default:
      return updateOperation(path, body)
  }
}

function addedText(path: string, body: readonly string[]): string {
  const last = body.findLastIndex((line) => line !== '')
  const lines = body.slice(0, last + 1)
  const odd = lines.find((line) => line !== '' && !line.startsWith('+'))
  if (odd !== undefined) {
    throw new PatchError(`Every line of *** Add File: ${path} begins with +; this one does not: ${JSON.stringify(odd)}`)
  }
  return lines.map((line) => `${line.slice(1)}\n`).join('')
}

function updateOperation(path: string, body: readonly string[]): FileOperation {
  const [, moveTo] = move.exec(body[0] ?? '') ?? []
  const hunks = updateHunks(path, moveTo ? body.slice(1) : body)
  if (hunks.length === 0 && !moveTo) {
    throw new PatchError(`*** Update File: ${path} has no lines to change: write @@ and lines with - and +.`)
  }
  return { kind: 'update', path, moveTo, hunks }
}

function updateHunks(path: string, body: readonly string[]): Hunk[] {
  const hunks: Hunk[] = []
  let hunk = new HunkBuilder()
  const close = (): void => {
    if (!hunk.empty) hunks.push(hunk.build())
    else if (hunk.anchors.length > 0) throw new PatchError(`A hunk of ${path} has an @@ line and nothing to change.`)
    hunk = new HunkBuilder()
  }
  for (const line of trimBlankEnd(body)) {
    if (line.startsWith('@@')) {
      // Several @@ lines in a row narrow the place step by step: class, then method.
      if (!hunk.empty) close()
      readAnchor(line, hunk)
    } else if (line.trim() === '*** End of File' && line.startsWith('***')) {
      hunk.atEnd = true
      close()
    } else if (!hunk.push(line)) {
      throw new PatchError(
        `A line in the patch of ${path} begins with none of space, - and +: ${JSON.stringify(line.slice(0, 100))}`,
      )
    }
  }
  close()
  return hunks
}

function readAnchor(line: string, hunk: HunkBuilder): void {
  const [, first, section] = range.exec(line) ?? []
  // After the numbers of a unified diff stands a reminder of where we are, not a line to look for.
  if (first && section !== undefined) hunk.line = Number(first)
  else {
    const anchor = line.slice(2).replace(/\s*@@\s*$/, '')
    if (anchor.trim() !== '') hunk.anchors.push(anchor.startsWith(' ') ? anchor.slice(1) : anchor)
  }
}

function trimBlankEnd(lines: readonly string[]): readonly string[] {
  return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1)
}
