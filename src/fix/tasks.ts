/** What the model is told of a failing check, in the first round and in later ones. */
import { foldLog } from '../../agent/index.ts'
import { fenced } from '../run/fence.ts'
import type { CheatKind } from './cheat-patterns.ts'
import type { Cheat } from './cheats.ts'
import type { Leads } from './leads.ts'
import type { CheckOptions, CheckRun } from './reproduce.ts'
import { suspectText } from './suspects.ts'

type Check = Pick<CheckOptions, 'command' | 'cwd'>

/** How kinds of cheats are named; of the others the sentence speaks in any case. */
const guarded: readonly (readonly [CheatKind, string])[] = [
  ['tests', 'tests'],
  ['snapshots', 'snapshots'],
  ['ci', 'CI files'],
  ['locks', 'lock files'],
]

/** Whom a task is for, and what it may change besides code. */
export interface Asked {
  readonly small: boolean
  readonly allowed: ReadonlySet<CheatKind>
}

function rules(allowed: Asked['allowed']): string {
  const names = guarded.flatMap(([kind, name]) => (allowed.has(kind) ? [] : [name]))
  const list = [names.join(', '), 'the check itself'].filter(Boolean).join(' or ')
  return `Do not change ${list}, and skip or silence nothing: such changes are taken back.`
}

/** A small model does what it reads last, and explains instead of repairing when it is asked for both. */
const wish = ({ small, allowed }: Asked): string =>
  small
    ? `Find the mistake in the code and correct it. ${rules(allowed)}`
    : `Fix the cause in the code. ${rules(allowed)}\nEnd with one paragraph that says what the cause was.`

export function firstTask({ command, cwd }: Check, red: CheckRun, leads: Leads, asked: Asked): string {
  return [`The command \`${command}\` fails (${red.end}). It printed:`, ...told(red, cwd, leads, asked)].join('\n')
}

/** The log, what it leads to, and what is wanted. */
function told(run: CheckRun, cwd: string, { suspects, tests, hints }: Leads, asked: Asked): string[] {
  const where = suspects.length === 0 ? [] : [`The cause is likely in ${suspects.map(suspectText).join(', ')}.`]
  // A large model reads what it wants to; a small one would write a file again that it is shown whole.
  const shown = asked.small ? tests : []
  return [
    logBlock(run, cwd, asked.small),
    ...shown.flatMap(({ path, line, text }) => [
      `This is tested in ${path}, line ${line}, which stays as it is:`,
      fenced(text),
    ]),
    '',
    ...hints,
    ...where,
    wish(asked),
  ]
}

export interface Round extends Asked {
  /** What was taken back after the last one. */
  readonly cheats: readonly Cheat[]
  /** Whether any file differs from what it was before the first. */
  readonly differs: boolean
}

export function nextTask(
  { command, cwd }: Check,
  last: CheckRun,
  leads: Leads,
  { cheats, differs, ...asked }: Round,
): string {
  const back = backLines(cheats)
  const state = differs ? `\`${command}\` still fails (${last.end}).` : 'No file of the repository differs.'
  return [...back, `${state} It printed:`, ...told(last, cwd, leads, asked)].join('\n')
}

/** What an attempt is told of which something was put back; undefined where nothing was. */
export function putBackText(cheats: readonly Cheat[], { suspects }: Leads): string | undefined {
  if (cheats.length === 0) return undefined
  const where = suspects.length === 0 ? '' : `, likely in ${suspects.map(suspectText).join(', ')}`
  return [...backLines(cheats), `What checks the code stays as it is: correct the code itself${where}.`].join('\n')
}

/** Files named; of many the rest is only counted. */
const mostNamed = 5

function backLines(cheats: readonly Cheat[]): string[] {
  const lines = [...new Set(cheats.map(({ path, what }) => `${path} was put back: it ${what}.`))]
  const more = lines.length - mostNamed
  return more > 0 ? [...lines.slice(0, mostNamed), `And ${more} more.`] : lines
}

/** Characters of a log for a small model: the first failures are enough, and the more it reads, the less it heeds. */
const smallLog = 2400

/** Paths inside the work tree as the model knows them. */
const logBlock = ({ output }: CheckRun, cwd: string, small: boolean): string =>
  fenced(
    foldLog(output, small ? smallLog : undefined)
      .replaceAll(`file://${cwd}/`, '')
      .replaceAll(`${cwd}/`, ''),
  )
