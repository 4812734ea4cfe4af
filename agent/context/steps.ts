/** Tasks that are one change in many places: where these are, so that a small model does them one at a time. */
import { isUtf8 } from 'node:buffer'
import { posix } from 'node:path'
import type { Workspace } from '../../sandbox/index.ts'
import { ripgrep } from '../files.ts'
import { exchangeIn, wholeWord } from './exchange.ts'
import { isSecret } from './secrets.ts'

/** Words that are to become others wherever they stand; mostly one. */
export interface StepPlan {
  readonly words: readonly [string, ...string[]]
  /** What the only one becomes. Undefined: more is asked for than the exchange of two words. */
  readonly by: string | undefined
  /** Where it stands, sorted. */
  readonly files: readonly string[]
  /** Where it stands besides, and stays: text in another encoding than UTF-8, files of secrets. Each with the reason, for a person. */
  readonly unread: readonly string[]
}

/** A file, or lines of it (from 1, both included) as they are numbered when the file's last step begins: the first parts come last. */
export interface Place {
  readonly path: string
  readonly lines?: { readonly from: number; readonly to: number }
}

/** A task that is done a place at a time. */
export interface Steps {
  readonly places: readonly Place[]
  /** See `StepPlan`. */
  readonly unread: readonly string[]
  /** The plan, for a person. */
  readonly told: string
  /** What is done without asking the model: exactly this word becomes that one. */
  readonly exchange?: { readonly word: string; readonly by: string }
  /** Puts the task with this one place at the end of the conversation; gives the most tokens of a reply to it. */
  begin(place: Place): Promise<number | undefined>
  /** How much there is to do at a place; 0: it is done. */
  left(place: Place): Promise<number>
  /** What is wrong when something is left in the end. Absent: a file may stay as it is. */
  readonly stuck?: (path: string) => string
}

/** More files than these a small model does not get done in the time that anybody waits, and nobody looks at the change of. */
const mostFiles = { asked: 40, exact: 2000 } as const

/**
 * The files of a task that exchanges one word for another everywhere. Undefined for every other task, where the word stands
 * nowhere that can be shown, and where it stands in too many files. `list` gives the files of the work tree. Secrets are left out.
 */
export async function stepPlan(
  task: string,
  list: () => Promise<readonly string[]>,
  workspace: Workspace,
): Promise<StepPlan | undefined> {
  const exchange = exchangeIn(task)
  if (exchange === undefined) return undefined
  const { words, within, without } = exchange
  const flags = ['--no-config', '--no-ignore-global', '--no-require-git', '--hidden', '--glob', '!.git']
  const wanted = ['--files-with-matches', '--null', '--max-filesize', '10M', '--word-regexp', '--fixed-strings']
  const found = (
    await ripgrep(workspace.root, [...flags, ...wanted, ...words.flatMap((word) => ['-e', word]), './'])
  ).split('\0')
  const has = new Set(found.map((path) => path.replace(/^\.\//, '')))
  const tree = await list()
  const isKnown = [...within, ...without].every((named) => tree.some((path) => isIn(path, named)))
  const by = isKnown ? exchange.by : undefined
  const files: string[] = []
  const unread: string[] = []
  for (const path of tree) {
    if (!has.has(path)) continue
    if (isKnown && within.length > 0 && !within.some((named) => isIn(path, named))) continue
    if (isKnown && without.some((named) => isIn(path, named))) continue
    const text = await textOf(path, workspace)
    if (text === undefined) continue
    // It would be more than one line of what is told.
    if (/\p{Cc}/u.test(path)) unread.push(`${JSON.stringify(path)}, which has a control character in its name`)
    else if (text === null) unread.push(`${path}, which is no UTF-8 text`)
    else if (!wholeWord(words, path).test(text)) continue
    else if (isSecret(path)) unread.push(`${path}, which holds secrets`)
    else files.push(path)
    if (files.length > mostFiles[by === undefined ? 'asked' : 'exact']) return undefined
  }
  return files.length === 0 ? undefined : { words, by, files, unread }
}

/** The first of many paths, for a person. */
export const someOf = (paths: readonly string[]): string =>
  paths.length <= 20 ? paths.join(', ') : `${paths.slice(0, 20).join(', ')} and ${paths.length - 20} more`

const isIn = (path: string, named: string): boolean =>
  path === named || path.startsWith(`${named}/`) || posix.basename(path) === named

/** How often words stand in a file's text; 0 where there is no file, or no text. */
export async function timesIn(words: readonly string[], path: string, workspace: Workspace): Promise<number> {
  return (await textOf(path, workspace))?.match(wholeWord(words, path))?.length ?? 0
}

/** Undefined where there is no file, or what is in it is no text; null for text in another encoding. */
async function textOf(path: string, workspace: Workspace): Promise<string | null | undefined> {
  if ((await workspace.stat(path))?.kind !== 'file') return undefined
  const bytes = await workspace.read(path)
  const isWide = bytes.length > 1 && [0xfffe, 0xfeff].includes(bytes.readUInt16BE(0))
  if (bytes.includes(0)) return isWide ? null : undefined
  return isUtf8(bytes) ? bytes.toString('utf8') : null
}
