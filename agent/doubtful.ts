/** Files in which a fault may be looked for. */
import { canShow } from '../sandbox/index.ts'
import { linesOfDefinitions } from '../tools/index.ts'
import { codeLines, isTestPath } from './context/code-lines.ts'
import { isOwnWork } from './own-work.ts'
import { judgeCall } from './policy/judge.ts'
import type { Turn } from './turn/turn.ts'

/** Files looked at, and characters of one that are read: that costs the model as much as writing a third of them. */
const mostFiles = 3
const longest = 5000
/** Characters of a file in which functions are looked for. */
const longestFile = 200_000

export interface Doubtful {
  readonly path: string
  readonly content: string
  readonly bytes: Buffer
  /** Lines of what the task names. */
  readonly named: ReadonlySet<number>
  /** Lines (from 1, both included) that are read: of a long file those from the first to the last of what the task names. */
  readonly from: number
  readonly to: number
}

/**
 * Files in play that may be changed, those of which the task names something first, then the shortest: without asking anybody,
 * where they are written to be looked at. They are recorded for undo then.
 */
export async function filesToDoubt(turn: Turn, task: string): Promise<Doubtful[]> {
  // What is quoted names much that only stands around.
  const words = new Set(task.replace(/```[\s\S]*?```/g, ' ').match(/[\p{L}_$][\p{L}\p{N}_$]*/gu))
  const { workspace, policy, sandbox } = turn.toolContext
  const files: Doubtful[] = []
  for (const path of turn.filesInPlay()) {
    if (isTestPath(path) || (await workspace.stat(path))?.kind !== 'file') continue
    const bytes = await workspace.read(path)
    const content = bytes.toString('utf8')
    if (bytes.length > longestFile || !Buffer.from(content).equals(bytes) || codeLines(path, content).size === 0)
      continue
    const named = linesOfDefinitions(content, (name) => words.has(name))
    const part = partToRead(content, named)
    if (part === undefined) continue
    // What it wrote itself does not surprise it: in 19 such searches one line was found.
    if (await isOwnWork(turn, path, bytes)) continue
    const effects = [{ kind: 'write', path }] as const
    const verdict = await judgeCall({ tool: 'write', effects, policy, sandbox, rules: turn.rules })
    const mayWrite = verdict.kind === 'allow' && (verdict.asked || turn.asksBefore?.(effects[0]) !== true)
    // Who is asked before sees the one line that was found.
    const mayAsk = isShown(turn) && turn.approve !== undefined && policy.mode === 'workspace-write'
    if (!mayWrite && !(mayAsk && (verdict.kind === 'allow' || verdict.kind === 'ask'))) continue
    files.push({ path, content, bytes, named, ...part })
  }
  const rank = ({ named }: Doubtful): number => (named.size > 0 ? 0 : 1)
  const some = files
    .sort((one, other) => rank(one) - rank(other) || one.bytes.length - other.bytes.length)
    .slice(0, mostFiles)
  if (isShown(turn)) return some
  const effects = some.map(({ path }) => ({ kind: 'write', path }) as const)
  await turn.recorder.before(effects, policy, turn.signal)
  await turn.changes.before(effects, turn.recorder.start())
  return some
}

function partToRead(
  content: string,
  named: ReadonlySet<number>,
): { readonly from: number; readonly to: number } | undefined {
  const lines = content.split('\n')
  if (content.length <= longest) return { from: 1, to: lines.length }
  const [from, to] = [Math.min(...named), Math.max(...named)]
  return named.size > 0 && lines.slice(from - 1, to).join('\n').length <= longest ? { from, to } : undefined
}

/** Whether commands can be shown a file that is not there so: it is not written, then, to be looked at. */
export const isShown = ({ toolContext: { sandbox, policy } }: Turn): boolean => canShow(sandbox, policy)

/** The lines that say what a file does. */
export function codeOf(path: string, text: string): string {
  const lines = codeLines(path, text)
  return text
    .split('\n')
    .filter((_, index) => lines.has(index + 1))
    .join('\n')
}
