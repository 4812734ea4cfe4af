/** Tasks that are one change in many places: which files it is in, so that a small model does them one at a time. */
import type { Workspace } from '../../sandbox/index.ts'
import { ripgrep } from '../files.ts'
import { isSecret } from './secrets.ts'

/** A word that is to become another wherever it stands. */
interface StepPlan {
  readonly word: string
  /** Where it stands, sorted. */
  readonly files: readonly string[]
  /** Where it stands in text that a small model is not shown (UTF-16). */
  readonly unread: readonly string[]
}

/** A task that is done a file at a time. */
export interface Steps extends Pick<StepPlan, 'files' | 'unread'> {
  /** The plan, for a person. */
  readonly told: string
  /** Puts the task with this one file at the end of the conversation; gives the most tokens of a reply to it. */
  begin(path: string): Promise<number | undefined>
  /** How much there is to do in a file; 0: it is done. */
  left(path: string): Promise<number>
  /** What is wrong when something is left in the end. Absent: a file may stay as it is. */
  readonly stuck?: (path: string) => string
}

/** More files than these a small model does not get done in the time that anybody waits. */
const mostFiles = 40

const everywhere =
  /\b(?:everywhere|throughout|all over|in (?:all|every|each)(?: of the)? files?|across the (?:whole )?(?:code ?base|repo(?:sitory)?|project))\b/i
const kinds = 'function|method|class|type|interface|variable|constant|field|property|option|name|word'
/** `rename X to Y`, `replace the function X with Y`. */
const exchange = new RegExp(
  `\\b(?:rename|replace|change)\\s+(?:all\\s+|every\\s+)?(?:the\\s+)?(?:(?:uses?|occurrences?|calls?)\\s+of\\s+)?(?:(?:${kinds})\\s+)?[\`"']?([\\w$]+)[\`"']?\\s+(?:to|with|by|into)\\s+\\S`,
  'i',
)

/**
 * The files of a task that exchanges one word for another everywhere. Undefined for every other task, where the word stands
 * nowhere that can be shown, and where it stands in too many files. `list` gives the files of the work tree. Secrets are left out.
 */
export async function stepPlan(
  task: string,
  list: () => Promise<readonly string[]>,
  workspace: Workspace,
): Promise<StepPlan | undefined> {
  const word = everywhere.test(task) ? exchange.exec(task)?.[1] : undefined
  if (word === undefined || word.length < 2) return undefined
  const flags = ['--no-config', '--no-ignore-global', '--no-require-git', '--hidden', '--glob', '!.git']
  const wanted = ['--files-with-matches', '--null', '--max-filesize', '1M', '--word-regexp', '--fixed-strings']
  const found = (await ripgrep(workspace.root, [...flags, ...wanted, '-e', word, './'])).split('\0')
  const has = new Set(found.map((path) => path.replace(/^\.\//, '')))
  const files: string[] = []
  const unread: string[] = []
  for (const path of await list()) {
    if (!has.has(path) || isSecret(path)) continue
    if ((await timesIn(word, path, workspace)) > 0) files.push(path)
    else unread.push(path)
    if (files.length > mostFiles) return undefined
  }
  return files.length === 0 ? undefined : { word, files, unread }
}

/** How often a word stands in a file's text; 0 where there is no file, or no text. */
export async function timesIn(word: string, path: string, workspace: Workspace): Promise<number> {
  if ((await workspace.stat(path))?.kind !== 'file') return 0
  const text = (await workspace.read(path)).toString('utf8')
  const whole = new RegExp(`(?<![\\p{L}\\p{N}_$])${word.replaceAll('$', '\\$')}(?![\\p{L}\\p{N}_$])`, 'gu')
  return text.match(whole)?.length ?? 0
}
