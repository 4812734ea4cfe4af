/** Puts around the user's words what the model needs to answer them. */

import { isUtf8 } from 'node:buffer'
import type { Model } from '../../engine/index.ts'
import type { Workspace } from '../../sandbox/index.ts'
import { fingerprint } from '../../tools/index.ts'
import { listFiles } from '../files.ts'
import { isTestPath } from './code-lines.ts'
import { excerptFor, excerptOf, isLong } from './excerpt.ts'
import { fencedFile, fenceFor } from './fence.ts'
import { numberedPart, partToRewrite, pointedAt } from './mentions.ts'
import { filesNamed } from './named.ts'
import { listTree } from './outline.ts'
import { withoutOutput } from './without-output.ts'

/**
 * The share of the context that files may take, and of it what is assumed where a remote server does not tell. A small
 * model often answers with the whole file again, so that each file is paid for twice.
 */
const share = { full: 0.5, small: 0.3 } as const
const assumedContext = 32_768
/** Less than this of a file is not worth its place. In tokens. */
const smallestHead = 128

/** A file that the model was shown whole. */
export interface WholeFile {
  readonly path: string
  readonly fingerprint: string
  readonly text: string
  readonly tokens: number
}

/** A part of a file that the model was shown, to be written again in its place. `fingerprint`: of the whole file. */
export type ShownPart = WholeFile

export interface Packed {
  readonly text: string
  readonly whole: readonly WholeFile[]
  /** For a small model only. */
  readonly parts: readonly ShownPart[]
  /** Paths of files in the place of which something else is shown. */
  readonly bare: readonly string[]
}

/**
 * The text of a user's turn: the files that the task names, each whole in a fence when it fits, else its beginning with
 * a note; of one that it names as `@path:10-40` those lines alone; of a long one a small model gets the part that the task
 * is about (excerpt.ts); on the first turn the rest of the tree as a short list (for a small model only when no file was
 * named); then the task in the user's own words. Files that the model was shown and that are still the same (`shown`:
 * path → fingerprint) are not shown again. Same tree, same task, same bytes.
 */
export async function packTask(
  task: string,
  options: {
    readonly model: Model
    readonly workspace: Workspace
    readonly shown: ReadonlyMap<string, string>
    readonly first: boolean
    /** Show these files, in this order, whatever the task names. */
    readonly only?: readonly string[] | undefined
    /** Said in the place of the task. */
    readonly words?: string | undefined
    /** What a part of a long file is chosen by. Default: the task. */
    readonly about?: string | undefined
    /** What is shown in the place of a file; undefined: itself. Such a file is in `bare` then, and nowhere else. */
    readonly instead?: (path: string, text: string) => string | undefined
    /** The files of the work tree, where they were listed just now. */
    readonly listed?: readonly string[] | undefined
  },
): Promise<Packed> {
  const { model, workspace, shown } = options
  const { prompt, contextTokens } = model.info
  const tree = options.listed ?? (await listFiles(workspace.root))
  const named = options.only ?? (await filesMeant(task, tree, options))
  let room = Math.floor((contextTokens ?? assumedContext) * share[prompt])
  const parts: string[] = []
  const whole: WholeFile[] = []
  const excerpts: ShownPart[] = []
  const bare: string[] = []

  for (const path of named) {
    const file = await readText(path, workspace)
    if (file === undefined) continue
    const lines = file.text.replace(/\n$/, '').split('\n')
    const pointed = pointedAt(task, path, lines.length)
    // Also of a file that was shown whole: which lines are meant, nobody counts.
    if (prompt === 'full' && pointed.ranges.length > 0) {
      const cut = pointed.ranges.map((range) => numberedPart(path, lines, range)).join('\n')
      const cost = await model.countTokens(cut)
      if (cost <= room) {
        parts.push(cut)
        room -= cost
        if (pointed.only) continue
      }
    }
    if (shown.get(path) === file.fingerprint) continue
    const instead = options.instead?.(path, file.text)
    if (instead !== undefined) {
      parts.push(fencedFile(path, instead))
      bare.push(path)
      continue
    }
    const fenced = fencedFile(path, file.text)
    // A token is a byte at least; counting what cannot fit would only cost time.
    const tokens = file.bytes.length > room * 16 ? Number.POSITIVE_INFINITY : await model.countTokens(fenced)
    const part =
      prompt === 'small' && pointed.only
        ? excerptOf(lines, pointed.ranges[0]!.from, pointed.ranges.at(-1)!.to)
        : prompt === 'small' && isLong(file.text, tokens)
          ? excerptFor(options.about ?? task, path, file.text)
          : undefined
    const cut = part && partToRewrite(path, part.text, part, part.total)
    const cutTokens = cut === undefined ? 0 : await model.countTokens(cut)
    if (part !== undefined && cut !== undefined && cutTokens <= room) {
      parts.push(cut)
      excerpts.push({ path, fingerprint: file.fingerprint, text: part.text, tokens: cutTokens })
      room -= cutTokens
    } else if (tokens <= room) {
      parts.push(fenced)
      whole.push({ path, fingerprint: file.fingerprint, text: file.text, tokens })
      room -= tokens
    } else if (room >= smallestHead) {
      parts.push(headOf(path, file.text, room))
      room = 0
    } else parts.push(`${path} is not shown: no room. Read it when you need it.`)
  }
  if (options.first && (prompt === 'full' || parts.length === 0)) {
    const list = listTree(tree.filter((path) => ![...whole, ...excerpts].some((file) => file.path === path)))
    if (list !== undefined) parts.push(`${parts.length > 0 ? 'Other files' : 'Files'} of the work tree:\n${list}`)
  }
  parts.push(options.words ?? task)
  return { text: parts.join('\n\n'), whole, parts: excerpts, bare }
}

/**
 * The files that the task names, for a small model without the tests that only the output of a failed one names: shown a test,
 * it writes that again and leaves the fault.
 */
async function filesMeant(
  task: string,
  tree: readonly string[],
  { model, workspace }: { readonly model: Model; readonly workspace: Workspace },
): Promise<readonly string[]> {
  const named = await filesNamed(task, tree, workspace)
  const words = withoutOutput(task)
  if (model.info.prompt !== 'small' || words === task || named.every(isTestPath)) return named
  const meant = await filesNamed(words, tree, workspace)
  return named.filter((path) => !isTestPath(path) || meant.includes(path))
}

/** Undefined for what is no text. Line ends are shown as `\n`, a byte-order mark not at all; the tools keep both. */
async function readText(path: string, workspace: Workspace) {
  let bytes: Buffer
  try {
    bytes = await workspace.read(path, { maxBytes: 4 * 1024 * 1024 })
  } catch {
    // Too large, or gone since the list was made: the model can still ask for it by a tool, which says why not.
    return undefined
  }
  if (bytes.includes(0) || !isUtf8(bytes)) return undefined
  const text = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
  return { bytes, text, fingerprint: fingerprint(bytes) }
}

/** As many whole lines from the top as surely fit: three characters a token, which code seldom goes below. */
function headOf(path: string, text: string, tokens: number): string {
  const lines = text.split('\n')
  let length = 0
  let count = 0
  while (count < lines.length && length + lines[count]!.length + 1 <= tokens * 3) {
    length += lines[count]!.length + 1
    count += 1
  }
  const total = text.endsWith('\n') ? lines.length - 1 : lines.length
  if (count === 0) return `${path} is not shown: its lines are too long. Search in it instead.`
  const head = lines.slice(0, count).join('\n')
  const fence = fenceFor(head)
  return `${path}, lines 1–${count} of ${total}; read the others when you need them:\n${fence}\n${head}\n${fence}`
}
