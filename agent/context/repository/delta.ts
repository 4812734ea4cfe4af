/** What has changed since the model was shown it: a small piece of text instead of a new prefix. */
import { isUtf8 } from 'node:buffer'
import type { Workspace } from '../../../sandbox/index.ts'
import { fingerprint, unifiedDiff } from '../../../tools/index.ts'
import { fencedFile, fenceFor } from '../fence.ts'
import { holdsSecret } from '../secrets.ts'
import { movedFiles } from './moved.ts'

/** What the model was shown of a file, or has made of it itself. */
export interface Known {
  /** Of the bytes; '' where only the text is known. */
  readonly fingerprint: string
  /** Undefined where only the mark is known: then a change is told by the whole file. */
  readonly text: string | undefined
}

export interface Delta {
  /** For the model; '' when nothing has changed. */
  readonly text: string
  /** What it knows after it: undefined for a file that is gone or not for showing any more. */
  readonly now: ReadonlyMap<string, Known | undefined>
  /** Old path → where the same text is now: it was told so. Only where `all` was given. */
  readonly moved: ReadonlyMap<string, string>
}

/** What a message about changes begins with. */
export const changedIntro = 'Since you were shown them, files have changed:'

/** What stands between such a message and the words of the user where both are one message. */
export const changesEnd = 'These are all the changes.'

/** A file that has grown beyond this is only said to have changed. In characters. */
const mostText = 200_000

interface Comparing {
  /** Path → fingerprint of what the model has read or written by a tool since: what it wrote itself it is not told again. */
  readonly seen?: ReadonlyMap<string, string>
  /** Every path that it knows; with it, where a file went is looked for. */
  readonly all?: ReadonlySet<string>
  /** Those of the paths whose text is not for showing any more, though it was. */
  readonly hidden?: (paths: readonly string[]) => Promise<ReadonlySet<string>>
}

/** Compares the files with what is known of them. Reads through the workspace, which follows no link outside. */
export async function changesSince(
  known: ReadonlyMap<string, Known>,
  workspace: Workspace,
  { seen = new Map(), all, hidden }: Comparing = {},
): Promise<Delta> {
  const changed: { readonly path: string; readonly before: Known; readonly text: string }[] = []
  const gone = new Map<string, Known>()
  const now = new Map<string, Known | undefined>()
  for (const [path, before] of known) {
    const after = await current(path, workspace)
    if (after !== undefined && isSame(before, after)) continue
    const readable = after === undefined || isReadable(after.text)
    now.set(path, readable ? after : undefined)
    if (after !== undefined && seen.get(path) === after.fingerprint) continue
    if (after === undefined) gone.set(path, before)
    else changed.push({ path, before, text: after.text })
  }
  const unshown = await hidden?.(changed.map(({ path }) => path))
  for (const path of unshown ?? []) now.set(path, undefined)
  const parts = changed.map(({ path, before, text }) =>
    unshown?.has(path) === true
      ? `${path} is another now, and an ignore file names it: it is not shown any more.`
      : told(path, before.text, text),
  )
  const moved = gone.size === 0 || all === undefined ? new Map() : await movedFiles(gone, all, workspace)
  for (const path of gone.keys()) {
    const to = moved.get(path)
    parts.push(to === undefined ? `${path} is gone.` : `${path} is gone; ${to} has the text that it had.`)
  }
  return { text: parts.length === 0 ? '' : `${changedIntro}\n\n${parts.join('\n\n')}`, now, moved }
}

async function current(path: string, workspace: Workspace): Promise<(Known & { readonly text: string }) | undefined> {
  try {
    if ((await workspace.stat(path))?.kind !== 'file') return undefined
    const bytes = await workspace.read(path, { maxBytes: 4 * 1024 * 1024 })
    const text =
      bytes.includes(0) || !isUtf8(bytes)
        ? ''
        : bytes
            .toString('utf8')
            .replace(/^\uFEFF/, '')
            .replaceAll('\r\n', '\n')
    return { fingerprint: fingerprint(bytes), text }
  } catch {
    // Too large now, a link, or not ours to read: the text that was shown does not hold any more.
    return undefined
  }
}

/** Where the bytes are not known, a last line's end does not count: the text was written into a fence, which adds one. */
const isSame = (before: Known, after: Known): boolean =>
  before.fingerprint === after.fingerprint ||
  (before.fingerprint === '' && before.text?.replace(/\n$/, '') === after.text?.replace(/\n$/, ''))

const isReadable = (text: string): boolean => text !== '' && text.length <= mostText && !holdsSecret(text)

/** The hunks, or the whole file when that is shorter. */
function told(path: string, before: string | undefined, after: string): string {
  if (!isReadable(after))
    return `${path} is another now${after === '' ? ' (empty, or no text)' : ''}; read it before you rely on it.`
  const whole = fencedFile(path, after)
  if (before === undefined) return whole
  const diff = unifiedDiff(path, before, after)
  const fence = fenceFor(diff)
  const hunks = `${fence}diff\n${diff}${diff.endsWith('\n') ? '' : '\n'}${fence}`
  return hunks.length < whole.length ? hunks : whole
}
