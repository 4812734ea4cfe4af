/** `cachalot undo` and `cachalot redo`: turns taken back and made again, from the shell. */
import { listTurns, redoTurns, type TurnSummary, UndoError, undoTurns } from '../../agent/index.ts'
import { resolvePaths } from '../paths.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { UsageError } from '../usage-error.ts'
import { workTree } from '../work-tree.ts'

export interface UndoFlags {
  readonly cwd?: string
  readonly list?: boolean
  readonly force?: boolean
}

/** Gives the exit code: 0 done, 1 refused or nothing to do. Throws UsageError. */
export async function undoCommand(way: 'undo' | 'redo', count: string | undefined, flags: UndoFlags): Promise<number> {
  const place = { root: workTree(flags.cwd), stateFolder: resolvePaths().state }
  try {
    if (flags.list === true) {
      const turns = await listTurns(place)
      if (turns.length === 0) process.stdout.write('There is nothing to undo.\n')
      for (const turn of turns) process.stdout.write(`${sanitizeLine(turnLine(turn))}\n`)
      return 0
    }
    const wish = { count: countOf(count), force: flags.force === true }
    const outcome = way === 'undo' ? await undoTurns(place, wish) : await redoTurns(place, wish)
    if (outcome.ok) process.stdout.write(`${sanitizeLine(outcome.text)}\n`)
    else process.stderr.write(`cachalot: ${sanitizeLine(outcome.text)}\n`)
    return outcome.ok ? 0 : 1
  } catch (error) {
    if (!(error instanceof UndoError)) throw error
    process.stderr.write(`cachalot: ${sanitizeLine(error.message)}\n`)
    return 1
  }
}

/** A whole number from 1; undefined stays undefined. Throws UsageError. */
function countOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) {
    throw new UsageError(`"${text}" is no number of turns. cachalot undo --list numbers them.`)
  }
  return count
}

const states: Readonly<Record<TurnSummary['state'], string>> = {
  done: '',
  undone: ' (taken back: redo makes it again)',
  'going-on': ' (going on)',
  'cut-short': ' (cut short)',
}

/** One line: number, time, files, task. */
export function turnLine({ number, time, paths, task, state }: TurnSummary): string {
  const files = paths.length > 3 ? `${paths.slice(0, 3).join(', ')} and ${paths.length - 3} more` : paths.join(', ')
  const when = time.slice(0, 16).replace('T', ' ')
  return `${number === 0 ? ' –' : String(number).padStart(2)}  ${when}  ${files || '–'}  ${task.split('\n')[0]?.slice(0, 60) ?? ''}${states[state]}`
}
