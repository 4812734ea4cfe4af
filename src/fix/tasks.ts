/** What the model is told of a failing check, in the first round and in later ones. */
import { fenced } from '../run/fence.ts'
import type { Cheat } from './cheats.ts'
import { foldLog } from './fold.ts'
import { missingHints } from './missing.ts'
import type { CheckOptions, CheckRun } from './reproduce.ts'

type Check = Pick<CheckOptions, 'command' | 'cwd'>

const rules =
  'Do not change tests, snapshots, CI files, lock files or the check itself, and skip or silence nothing: such changes are taken back.'

/** A small model does what it reads last, and explains instead of repairing when it is asked for both. */
const wish = (small: boolean): string =>
  small
    ? `Find the mistake in the code and correct it. ${rules}`
    : `Fix the cause in the code. ${rules}\nEnd with one paragraph that says what the cause was.`

/** `suspects`: where the cause likely stands, as `suspectsOf` gives it. */
export function firstTask(
  { command, cwd }: Check,
  red: CheckRun,
  { suspects, small }: { readonly suspects: readonly string[]; readonly small: boolean },
): string {
  const where = suspects.length === 0 ? [] : [`The cause is likely in ${suspects.join(', ')}.`]
  return [
    `The command \`${command}\` fails (${red.end}). It printed:`,
    logBlock(red, cwd),
    '',
    ...missingHints(red.output, cwd),
    ...where,
    wish(small),
  ].join('\n')
}

export interface Round {
  /** What was taken back after the last one. */
  readonly cheats: readonly Cheat[]
  /** Whether any file differs from what it was before the first. */
  readonly differs: boolean
  readonly small: boolean
}

export function nextTask({ command, cwd }: Check, last: CheckRun, { cheats, differs, small }: Round): string {
  const back = backLines(cheats)
  const state = differs ? `\`${command}\` still fails (${last.end}).` : 'No file of the repository differs.'
  return [...back, `${state} It printed:`, logBlock(last, cwd), '', wish(small)].join('\n')
}

/** What an attempt is told of which something was put back; undefined where nothing was. */
export function putBackText(cheats: readonly Cheat[], suspects: readonly string[]): string | undefined {
  if (cheats.length === 0) return undefined
  const where = suspects.length === 0 ? '' : `, likely in ${suspects.join(', ')}`
  return [...backLines(cheats), `What checks the code stays as it is: correct the code itself${where}.`].join('\n')
}

/** Files named; of many the rest is only counted. */
const mostNamed = 5

function backLines(cheats: readonly Cheat[]): string[] {
  const lines = [...new Set(cheats.map(({ path, what }) => `${path} was put back: it ${what}.`))]
  const more = lines.length - mostNamed
  return more > 0 ? [...lines.slice(0, mostNamed), `And ${more} more.`] : lines
}

/** Paths inside the work tree as the model knows them. */
const logBlock = ({ output }: CheckRun, cwd: string): string =>
  fenced(foldLog(output).replaceAll(`file://${cwd}/`, '').replaceAll(`${cwd}/`, ''))
