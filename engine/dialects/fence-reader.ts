/** Reads the inside of one fence and says what it was. */
import { closesFence, type Fence, type FenceKind, fenceKind, orphanKind, withoutIndent, wraps } from './fence.ts'
import { diffLanguages, shellLanguages } from './fence-language.ts'
import type { FencedOutput } from './fenced-output.ts'
import { looksLikeCall, readBareCalls, readCalls } from './json-call.ts'
import { pathLine } from './path-line.ts'
import { isReplaceEnd, searchHead } from './search-block.ts'

export const diffProblem =
  'A diff is not applied. Write the path alone on a line and then the whole file in one fence, or a SEARCH/REPLACE block.'

export type FenceStep =
  | 'open'
  | 'closed'
  /** A SEARCH block begins in it; `path` is the one written above it. */
  | { readonly head: string; readonly path: string | undefined }
  /** It was nothing but a path, which names what follows. */
  | { readonly named: string; readonly lines: string[] }

export interface FenceReader {
  line(line: string): FenceStep
  /** The reply ended inside. */
  end(): void
  /** It was opened twice, so that it may be closed twice. */
  readonly wrapped: boolean
  readonly fence: Fence
}

export function fenceReader(fence: Fence, out: FencedOutput): FenceReader {
  let kind: FenceKind | undefined
  /** Whether it holds SEARCH blocks: its other lines are then no file. */
  let blocks = false
  let wrapped = false

  /** Shows what there is of the fence, as soon as it is known what it is. */
  function announce(is: FenceKind): void {
    kind = is.kind === 'orphan' && is.path !== undefined && out.orphans.settled(is.path) ? { kind: 'shown' } : is
    if (kind.kind === 'json') return
    if (isText(kind)) out.say(`${fence.opening}\n`)
    else if (kind.kind === 'orphan') out.beginKept(kind.path ?? '')
    else if (kind.kind === 'file') out.begin('write', kind.path)
    else out.begin(kind.kind === 'shell' ? 'shell' : kind.kind === 'tool' ? kind.tool : 'write')
    for (const line of fence.lines) show(line)
  }

  function show(line: string): void {
    if (kind === undefined || kind.kind === 'json') return
    if (isText(kind)) out.say(`${line}\n`)
    else out.delta(line)
  }

  function close(): FenceStep {
    const shown = fence.lines.filter((line) => line.trim() !== '')
    if (kind === undefined && fence.path === undefined && shown.length === 1 && !shellLanguages.has(fence.language)) {
      const path = pathLine(shown[0]!, out.files)
      if (path !== undefined) return { named: path, lines: [fence.opening, ...fence.lines, fence.mark] }
    }
    if (kind === undefined) announce(fenceKind(fence, out, true) ?? { kind: 'shown' })
    const content = fence.lines.map((line) => `${line}\n`).join('')
    if (kind !== undefined && !isText(kind) && fence.lines.some(isReplaceEnd)) {
      out.malformed(content, 'A SEARCH/REPLACE block begins with a <<<<<<< SEARCH line. Write the whole block.')
    } else if (kind !== undefined) settle(kind, content)
    return 'closed'
  }

  function settle(is: FenceKind, content: string): void {
    switch (is.kind) {
      case 'file': {
        const calls = fence.language === 'json' ? readBareCalls(content) : undefined
        if (calls?.every((call) => out.offers(call.name)) === true) out.emitAll(calls, content)
        else if (diffLanguages.has(fence.language)) out.malformed(content, diffProblem)
        else out.emit({ name: 'write', arguments: { path: is.path, content } })
        return
      }
      case 'shell': {
        const command = commandOf(content)
        if (command !== '') out.emit({ name: 'shell', arguments: { command } })
        return
      }
      case 'tool':
        out.emit({ name: is.tool, arguments: { [is.field]: content.trim() } })
        return
      case 'json': {
        const calls = readBareCalls(content)
        const read = calls === undefined && looksLikeCall(content) ? readCalls(content) : undefined
        if (calls !== undefined) out.emitAll(calls, content)
        else if (read !== undefined && 'problem' in read) out.malformed(content, read.problem)
        else {
          announce(orphanKind(fence, out))
          if (kind !== undefined && kind.kind !== 'json') settle(kind, content)
        }
        return
      }
      case 'orphan':
        if (is.path === undefined) out.say(`${fence.mark}\n`)
        out.orphans.add({ path: is.path, sure: is.sure, content, language: fence.language })
        return
      case 'shown':
        out.say(`${fence.mark}\n`)
        return
      default:
        is satisfies never
    }
  }

  return {
    fence,
    get wrapped() {
      return wrapped
    },
    line(line) {
      if (!wrapped && kind === undefined && wraps(fence, line, out.files)) {
        wrapped = true
        return 'open'
      }
      const content = withoutIndent(fence, line)
      const head = fence.inner.length === 0 ? searchHead(content) : undefined
      if (head !== undefined) {
        const above = fence.lines.filter((text) => text.trim() !== '').slice(-3)
        const path = above.map((text) => pathLine(text, out.files)).findLast((found) => found !== undefined)
        blocks = true
        fence.lines = []
        return { head: head.rest, path: path ?? fence.path }
      }
      if (closesFence(fence, line)) return blocks ? 'closed' : close()
      fence.lines.push(content)
      if (blocks) return 'open'
      if (kind !== undefined) show(content)
      else {
        const is = fenceKind(fence, out, false)
        if (is !== undefined) announce(is)
      }
      return 'open'
    },
    end() {
      if (blocks || kind?.kind === 'shown') return
      if (closedShort(fence)) {
        fence.lines.splice(fence.lines.findLastIndex((line) => line.trim() !== ''))
        close()
        return
      }
      if (kind?.kind === 'orphan' && kind.path !== undefined) out.orphans.drop(kind.path)
      out.malformed(
        fence.lines.join('\n'),
        'The reply ended inside a code fence, so it was not applied. Write it again whole, and close the fence.',
      )
    },
  }
}

/**
 * A reply ends in a fence of fewer marks than the one it opened with, and none inside waits for it: small models open with the
 * four that they were shown (the file itself has fences of three) and close with the three that they always close with.
 */
function closedShort({ mark, lines }: Fence): boolean {
  const last = lines.findLast((line) => line.trim() !== '') ?? ''
  const short = new RegExp(`^${mark[0]}{3,}\\s*$`)
  const fences = lines.filter((line) => line.trimStart().startsWith(mark[0]!.repeat(3)))
  return short.test(last) && last.trim().length < mark.length && fences.length % 2 === 1
}

/** A fence that is shown as it is: it may still turn out to be a file that nobody can place. */
function isText(kind: FenceKind): boolean {
  return kind.kind === 'shown' || (kind.kind === 'orphan' && kind.path === undefined)
}

/** The command in a shell fence: lines after `$ ` prompts where there are such, without those that print. */
function commandOf(content: string): string {
  const lines = content.split('\n')
  const prompted = lines.filter((line) => /^\$ /.test(line))
  const command = (prompted.length > 0 ? prompted.map((line) => line.slice(2)) : lines).join('\n').trim()
  return command.split('\n').every((line) => line.trim() === '' || line.trimStart().startsWith('#')) ? '' : command
}
