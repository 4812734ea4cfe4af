/** One code fence as it is read: its bounds, its language, its path. */
import { diffLanguages, fits, jsonLanguages, shellLanguages, shownLanguages } from './fence-language.ts'
import { commentPath, fitsFence, pathLine, readInfo } from './path-line.ts'

export interface Fence {
  /** The opening line as written. */
  readonly opening: string
  mark: string
  indent: number
  language: string
  path: string | undefined
  /** The file in play that the sentence before the fence speaks of: a guess, for a fence without a path. */
  readonly hint: string | undefined
  /** Content lines, without the fence's own indentation. */
  lines: string[]
  /** Lengths of the fences that are open inside (a markdown file that shows code). */
  inner: number[]
}

/** What a reply can be about. */
export interface Play {
  readonly files: readonly string[]
  readonly oneText: ReadonlyMap<string, string>
  offers(tool: string): boolean
}

export interface Opening {
  readonly mark: string
  readonly indent: number
  readonly info: string
}

/** A line that opens a fence: three or more backticks or tildes; the info holds no backtick. */
export function fenceOpening(line: string): Opening | undefined {
  const found = /^([ \t]{0,8})(`{3,}|~{3,})([^`]*)$/.exec(line)
  if (found === null) return undefined
  return { indent: found[1]!.length, mark: found[2]!, info: found[3]!.trim() }
}

export function openFence(
  line: string,
  opening: Opening,
  before: { readonly path: string | undefined; readonly hint: string | undefined },
  files: readonly string[],
): Fence {
  const info = readInfo(opening.info, files)
  return {
    opening: line,
    mark: opening.mark,
    indent: opening.indent,
    language: info.language,
    path: info.path ?? before.path,
    hint: before.hint,
    lines: [],
    inner: [],
  }
}

/**
 * Takes a line that opens another fence where nothing of this one has been said yet, or nothing but a path: a model that has
 * put the path behind the first marks, or below them, opens the code once more, with its language. There is one fence then.
 * Markdown may begin so.
 */
export function wraps(fence: Fence, line: string, files: readonly string[]): boolean {
  const opening = fenceOpening(line)
  if (opening === undefined || opening.info === '' || opening.mark[0] !== fence.mark[0]) return false
  const [said, ...more] = fence.lines.filter((text) => text.trim() !== '')
  const named = said === undefined ? undefined : (commentPath(said, files) ?? pathLine(said, files))
  if (more.length > 0 || (said !== undefined && named === undefined)) return false
  if (/^(?:md|mdx|markdown)$/.test(fence.language)) return false
  if (/\.(?:md|mdx|markdown)$/i.test(fence.path ?? '')) return false
  const info = readInfo(opening.info, files)
  fence.mark = opening.mark
  fence.indent = opening.indent
  if (info.language !== '') fence.language = info.language
  fence.path = named ?? fence.path ?? info.path
  fence.lines = []
  return true
}

/**
 * Takes a line: true when it closes the fence. A closing line has no info, at least as many marks, and is not indented
 * like content. A line with info and as many marks opens a fence inside, which its own closing line ends; shorter
 * fences inside are just content.
 */
export function closesFence(fence: Fence, line: string): boolean {
  const opening = fenceOpening(line)
  if (opening === undefined || opening.mark[0] !== fence.mark[0] || opening.indent > fence.indent + 3) return false
  const length = opening.mark.length
  if (opening.info !== '') {
    if (length >= fence.mark.length && !/\s/.test(opening.info)) fence.inner.push(length)
    return false
  }
  const innermost = fence.inner.at(-1)
  if (innermost === undefined) return length >= fence.mark.length
  if (length >= innermost) fence.inner.pop()
  return false
}

export function withoutIndent(fence: Fence, line: string): string {
  let at = 0
  while (at < fence.indent && (line[at] === ' ' || line[at] === '\t')) at += 1
  return line.slice(at)
}

export type FenceKind =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'shell' }
  | { readonly kind: 'tool'; readonly tool: string; readonly field: string }
  | { readonly kind: 'json' }
  /** A file without a path: `path` is the one in play that it must be, if there is one. */
  | { readonly kind: 'orphan'; readonly path: string | undefined; readonly sure: boolean }
  | { readonly kind: 'shown' }

/**
 * What the fence is, or undefined while its first lines do not tell yet. May take a path line off the content.
 */
export function fenceKind(fence: Fence, play: Play, closed: boolean): FenceKind | undefined {
  const { files } = play
  const at = fence.lines.findIndex((line) => line.trim() !== '')
  const first = fence.lines[at]
  if (first === undefined && !closed) return undefined
  const shell = shellLanguages.has(fence.language)
  const field = fence.path === undefined ? play.oneText.get(fence.language) : undefined
  if (field !== undefined) return { kind: 'tool', tool: fence.language, field }
  if (fence.path === undefined && first !== undefined) {
    const inside = commentPath(first, files) ?? (shell ? undefined : pathLine(first, files))
    if (inside !== undefined) {
      // The next line may begin a SEARCH block, close the fence or open it again.
      if (!closed && fence.lines.slice(at + 1).every((line) => line.trim() === '')) return undefined
      if (fitsFence(inside, fence.language, files)) {
        const blank = fence.lines[at + 1]?.trim() === '' ? 1 : 0
        fence.path = inside
        fence.lines = fence.lines.slice(at + 1 + blank)
      }
    }
  }
  if (fence.path !== undefined) return play.offers('write') ? { kind: 'file', path: fence.path } : { kind: 'shown' }
  if (shell && first?.startsWith('#!') !== true) return { kind: play.offers('shell') ? 'shell' : 'shown' }
  if (jsonLanguages.has(fence.language) || (fence.language === '' && /^\s*[[{]/.test(first ?? '')))
    return { kind: 'json' }
  return orphanKind(fence, play)
}

/** A fence without a path: the file in play that it must be. */
export function orphanKind({ language, hint }: Fence, { offers, files }: Play): FenceKind {
  if (!offers('write')) return { kind: 'shown' }
  const fitting = files.filter((file) => fits(file, language) === true)
  if (hint !== undefined && !shownLanguages.has(language)) return { kind: 'orphan', path: hint, sure: true }
  if (fitting.length === 1) return { kind: 'orphan', path: fitting[0], sure: true }
  if (shownLanguages.has(language)) return { kind: 'shown' }
  const [only, ...more] = files
  const placed =
    only !== undefined && more.length === 0 && fits(only, language) !== false && !diffLanguages.has(language)
  return { kind: 'orphan', path: placed ? only : undefined, sure: false }
}
