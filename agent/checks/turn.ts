/** The ladder on what a run has done. */
import { isUtf8 } from 'node:buffer'
import type { Difference } from '../changes.ts'
import type { Spending } from '../turn/limits.ts'
import type { Turn } from '../turn/turn.ts'
import { asksOnly } from '../turn/wishes.ts'
import { type Climb, climb } from './ladder.ts'
import type { ChangedText, CheckContext } from './types.ts'

/**
 * Checks the files as they are. Undefined when there is nothing to check (no file changed, and no command of the user or a mere question) or
 * the run was stopped meanwhile. `putBack`: what `Turn.putBack` has said of the attempt. `hurried`, `only`: one of many looks, by one check.
 */
export async function checkAttempt(
  turn: Turn,
  spending: Spending,
  task: string,
  { putBack, ...how }: Omit<How, 'instead'> & { readonly putBack?: string | undefined } = {},
): Promise<Climb | undefined> {
  const changed = await turn.changes.differences()
  if (putBack !== undefined && changed.length === 0) return nothingLeft(putBack)
  if (changed.length === 0 && (turn.checks.check === undefined || asksOnly(task))) return undefined
  const climb = await climbed(turn, spending, task, changed, how)
  if (climb?.failed === undefined || putBack === undefined) return climb
  return { ...climb, failed: { ...climb.failed, detail: `${climb.failed.detail}\n${putBack}` } }
}

/** Of an attempt that changed only what it may not. */
function nothingLeft(putBack: string): Climb {
  const failed = { name: 'allowed', passed: false, detail: putBack } as const
  return { reports: [failed], failed, decided: false, height: 0 }
}

/** Checks the files as they were: those that an attempt changed, else those that the model was shown. Puts `held` back after it. */
export async function checkOriginal(
  turn: Turn,
  spending: Spending,
  task: string,
  held: readonly Difference[],
): Promise<Climb | undefined> {
  const { workspace } = turn.toolContext
  return await turn.changes.asTheyWere(held, async () => {
    const paths = held.length > 0 ? held.map(({ path }) => path) : turn.filesInPlay()
    const files: Difference[] = []
    for (const path of paths) {
      const before = (await workspace.stat(path))?.kind === 'file' ? await workspace.read(path) : null
      files.push({ path, before, after: before })
    }
    return await climbed(turn, spending, task, files)
  })
}

/**
 * Checks a file as it could be, without writing it: the commands see it so, and nobody else. Only where `canShow` says that they
 * can; hurried. `only`: by this check alone.
 */
export async function checkUnwritten(
  turn: Turn,
  spending: Spending,
  task: string,
  file: Difference & { readonly after: Buffer },
  only?: string,
): Promise<Climb | undefined> {
  const instead = [{ path: file.path, bytes: file.after }]
  return await climbed(turn, spending, task, [file], { hurried: true, instead, only })
}

/** How files are looked at. `only`: by the check of this name alone. */
interface How extends Pick<CheckContext, 'hurried' | 'instead'> {
  readonly only?: string | undefined
}

async function climbed(
  turn: Turn,
  spending: Spending,
  task: string,
  files: readonly Difference[],
  { hurried, instead, only }: How = {},
): Promise<Climb | undefined> {
  const { workspace, sandbox, policy, code } = turn.toolContext
  const signal = AbortSignal.any([turn.signal, spending.overdue])
  const texts = files.flatMap(changedText)
  const commands = turn.checks
  const context: CheckContext = {
    task,
    files: texts,
    commands,
    workspace,
    sandbox,
    policy,
    signal,
    code,
    hurried,
    instead,
  }
  const asWas = async <Result>(work: (were: CheckContext) => Promise<Result>): Promise<Result> => {
    if (instead !== undefined) return await work({ ...context, instead: undefined })
    return await turn.changes.asTheyWere(await turn.changes.differences(), () => work(context))
  }
  try {
    return await climb(context, asWas, only)
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

/** None for what is no text. */
function changedText({ path, before, after }: Difference): ChangedText[] {
  const [from, to] = [textOf(before), textOf(after)]
  return from === undefined || to === undefined ? [] : [{ path, before: from, after: to }]
}

function textOf(bytes: Difference['after']): string | null | undefined {
  if (bytes === null || bytes === undefined) return bytes
  return bytes.includes(0) || !isUtf8(bytes) ? undefined : bytes.toString('utf8').replace(/^\ufeff/, '')
}
