/** Files that the model itself has written, of which it will not see what is wrong with them. */
import { checkOriginal } from './checks/turn.ts'
import { codeLines, isTestPath } from './context/code-lines.ts'
import type { CheckReport } from './events.ts'
import type { Spending } from './turn/limits.ts'
import { halted } from './turn/rounds.ts'
import type { Turn } from './turn/turn.ts'
import { asksToMend } from './turn/wishes.ts'

/** Whether at least half of what a file does was written by earlier turns, and by nobody since. */
export async function isOwnWork({ recorder }: Turn, path: string, bytes: Buffer): Promise<boolean> {
  const before = await recorder.stoodBefore(path, bytes)
  if (before === undefined) return false
  const stood = new Set(
    before
      ?.toString('utf8')
      .split('\n')
      .map((line) => line.trim()),
  )
  const text = bytes.toString('utf8')
  const lines = text.split('\n')
  const code = [...codeLines(path, text)].map((number) => lines[number - 1]?.trim() ?? '')
  return code.length > 0 && code.filter((line) => !stood.has(line)).length * 2 >= code.length
}

/** Lines of code in all files in play: more is not written again for one fault before the model has seen it. */
const mostLines = 40

/** By what files fail that the model is asked to mend; undefined where they do not, or are not all own work, and little of it. */
export async function failedOwnWork(turn: Turn, spending: Spending, task: string): Promise<CheckReport | undefined> {
  if (turn.anew === undefined || !asksToMend(task) || !(await areOwnWork(turn))) return undefined
  const failed = (await checkOriginal(turn, spending, task, []))?.failed
  return halted(turn, spending) === undefined ? failed : undefined
}

/** Tests aside. */
async function areOwnWork(turn: Turn): Promise<boolean> {
  const { workspace } = turn.toolContext
  const paths = turn.filesInPlay().filter((path) => !isTestPath(path))
  let lines = 0
  for (const path of paths) {
    if ((await workspace.stat(path))?.kind !== 'file') return false
    const bytes = await workspace.read(path)
    lines += codeLines(path, bytes.toString('utf8')).size
    if (lines > mostLines || !(await isOwnWork(turn, path, bytes))) return false
  }
  return paths.length > 0
}
