/** After a crash: finishes changes that were begun, or takes them back, so that each is whole or not there at all. */
import { readFile, stat, unlink } from 'node:fs/promises'
import { posix } from 'node:path'
import type { Workspace } from '../../sandbox/index.ts'
import { endJournal, findJournals, type Journal, type JournaledFile } from './journal.ts'
import { inTurn } from './lock.ts'

/** What became of one change that a crash had cut short. */
export interface RecoveredEdit {
  /** `unreadable`: the journal is damaged; nothing was touched. */
  readonly outcome: 'finished' | 'rolled-back' | 'unreadable'
  /** Paths that were written now. */
  readonly written: readonly string[]
  /** Paths that somebody changed after the crash: left as they are. */
  readonly leftAlone: readonly string[]
  /** One line for a person. */
  readonly message: string
}

/**
 * To be called when a session starts, before anything is read. `journal` is the folder of `ToolContext.journal`. Finishes
 * a change when every file is still as it was before or after it; else puts back those that it had written. Rejects with
 * WorkspaceError or the system's error; the journal then stays for the next try.
 */
export function recoverEdits(workspace: Workspace, journal: string): Promise<RecoveredEdit[]> {
  return inTurn(workspace.root, () => recoverInTurn(workspace, journal))
}

/** The same for a caller whose turn it is. */
export async function recoverInTurn(workspace: Workspace, folder: string): Promise<RecoveredEdit[]> {
  const { journals, halves } = await findJournals(folder, workspace.root)
  for (const half of halves) await unlink(half)
  const recovered: RecoveredEdit[] = []
  for (const { file, journal } of journals) {
    if (!journal || journal.root !== workspace.root) {
      recovered.push(unreadable(file))
      continue
    }
    if (await isInFlight(file, journal)) continue
    await removeTemporaries(workspace, journal)
    if (!journal.single) recovered.push(await recover(workspace, journal))
    await endJournal(file)
  }
  return recovered
}

/**
 * Whether the process that began the change still lives: then it is its own to finish. The turns in a folder tell that
 * already, except where they cannot reach across processes (see lock.ts). A process that started after the journal was
 * written has only inherited the number.
 */
async function isInFlight(file: string, { pid }: Journal): Promise<boolean> {
  if (pid === process.pid) return false
  try {
    const [text, boot, journal] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/stat', 'utf8'),
      stat(file),
    ])
    // proc(5): field 22, in hundredths of a second since the boot; the name before it may hold anything.
    const ticks = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19])
    const bootSeconds = Number(/^btime (\d+)$/m.exec(boot)?.[1])
    return (bootSeconds + ticks / 100) * 1000 <= journal.mtimeMs + 1000
  } catch {
    // No such process, or no /proc to ask.
    return false
  }
}

async function recover(workspace: Workspace, journal: Journal): Promise<RecoveredEdit> {
  const states = await Promise.all(journal.files.map(async (file) => ({ file, state: await stateOf(workspace, file) })))
  const foreign = states.filter(({ state }) => state === 'other').map(({ file }) => file.path)
  const forward = foreign.length === 0
  const todo = states.filter(({ state }) => state === (forward ? 'before' : 'after')).map(({ file }) => file)
  // Deletions come last, as in the change itself: a move never leaves the text nowhere.
  const target = (file: JournaledFile): Buffer | null => (forward ? file.after : file.before)
  for (const file of todo.filter((each) => target(each))) {
    await workspace.write(file.path, target(file)!, { mode: file.mode })
  }
  for (const file of todo.filter((each) => !target(each))) await workspace.remove(file.path)
  const written = todo.map(({ path }) => path)
  return {
    outcome: forward ? 'finished' : 'rolled-back',
    written,
    leftAlone: foreign,
    message: journal.trial === true && forward ? untried(written) : tell(forward, written, foreign),
  }
}

function tell(forward: boolean, written: readonly string[], foreign: readonly string[]): string {
  if (forward) {
    const files = written.length > 0 ? `: ${written.join(', ')}` : ' (all files were written)'
    return `A change that a crash had cut short was finished${files}.`
  }
  const back = written.length > 0 ? `taken back in ${written.join(', ')}` : 'not begun anywhere else'
  return `A change that a crash had cut short was ${back}; ${foreign.join(', ')} was changed since and left as it is.`
}

const untried = (written: readonly string[]): string =>
  written.length === 0
    ? 'A crash came while texts of a file were tried; it is what it was.'
    : `A crash came while another text of ${written.join(', ')} was tried: what was there before is back.`

const unreadable = (file: string): RecoveredEdit => ({
  outcome: 'unreadable',
  written: [],
  leftAlone: [],
  message: `The journal ${file} of a change cannot be read; no file was touched. Look at it, then delete it.`,
})

async function stateOf(workspace: Workspace, file: JournaledFile): Promise<'before' | 'after' | 'other'> {
  const info = await workspace.stat(file.path)
  if (info && info.kind !== 'file') return 'other'
  const now = info ? await workspace.read(file.path) : null
  // `after` first: a file that was to stay the same needs nothing.
  if (same(now, file.after)) return 'after'
  return same(now, file.before) ? 'before' : 'other'
}

const same = (a: Buffer | null, b: Buffer | null): boolean => (a && b ? a.equals(b) : a === b)

/** What the workspace had begun to write beside the files when the process died. */
async function removeTemporaries(workspace: Workspace, journal: Journal): Promise<void> {
  const mark = new RegExp(`^\\.cachalot-${journal.pid}-[0-9a-f]+\\.tmp$`)
  for (const folder of new Set(journal.files.map(({ path }) => posix.dirname(path)))) {
    const info = await workspace.stat(folder)
    if (info?.kind !== 'directory') continue
    const names = (await workspace.list(folder)).filter((name) => mark.test(name))
    for (const name of names) await workspace.remove(posix.join(folder, name))
  }
}
