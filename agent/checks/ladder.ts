/** The ladder between "changed" and "done": cheap checks first, up to the first that fails. */
import { SandboxError } from '../../sandbox/index.ts'
import { exchangeIn, wholeWord } from '../context/exchange.ts'
import type { CheckReport } from '../events.ts'
import { CheckUnavailable } from './command.ts'
import { given, lint, types } from './commands.ts'
import { examples } from './examples.ts'
import { syntax } from './syntax.ts'
import { tests } from './tests.ts'
import type { Check, CheckContext, Verdict } from './types.ts'

const rungs: readonly (readonly [name: string, check: Check])[] = [
  ['syntax', syntax],
  ['types', types],
  ['lint', lint],
  ['examples', examples],
  ['check', given],
  ['tests', tests],
]

/** How far an attempt came. */
export interface Climb {
  readonly reports: readonly CheckReport[]
  /** The one that failed; undefined when none did. */
  readonly failed: CheckReport | undefined
  /** A check that looks at what the code does has passed: not only that it can be read. */
  readonly decided: boolean
  /** For comparing: rungs passed, and the part of the failed one that did. Higher is better. */
  readonly height: number
}

/** Runs something on the files as they were before the run, and brings them back. */
type AsWas = <Result>(work: (context: CheckContext) => Promise<Result>) => Promise<Result>

/**
 * Makes the checks in order, up to the first that fails. Rejects only when the signal aborts, or for a fault of ours. `only`: the
 * name of the one that is made, of all.
 */
export async function climb(context: CheckContext, asWas: AsWas, only?: string | undefined): Promise<Climb> {
  const reports: CheckReport[] = []
  let height = 0
  for (const [name, check] of rungs) {
    if (only !== undefined && name !== only) continue
    const verdict = await judged(name, check, context)
    if (verdict === undefined) continue
    if (verdict.passed === false && (await failedBefore(verdict, check, context, asWas))) {
      reports.push({ name, passed: null, detail: `fails without the change too: ${verdict.detail}` })
      continue
    }
    const { passed, detail } = verdict
    reports.push({ name, passed, detail })
    if (passed === false) {
      const share = verdict.share ?? 0
      return { reports, failed: { name, passed, detail }, decided: false, height: height + share }
    }
    if (passed) height += 1
  }
  const decided = reports.some(({ name, passed }) => passed === true && ['examples', 'check', 'tests'].includes(name))
  return { reports, failed: undefined, decided, height: Number.POSITIVE_INFINITY }
}

/** A check that cannot be made is left out, with its reason. */
async function judged(name: string, check: Check, context: CheckContext): Promise<Verdict | undefined> {
  try {
    return await check(context)
  } catch (error) {
    context.signal.throwIfAborted()
    if (!(error instanceof CheckUnavailable || error instanceof SandboxError)) throw error
    return { name, passed: null, detail: `not run: ${error.message}` }
  }
}

/** Whether two failures are one: names that the task exchanges, and addresses in memory, differ. */
function alike(before: string, now: string, task: string): boolean {
  const { words, by } = exchangeIn(task) ?? {}
  const plain = (text: string): string => text.replace(/\b0x[0-9a-f]+/gi, '0x')
  const then = words === undefined || by === undefined ? before : before.replace(wholeWord(words, ''), () => by)
  return plain(then) === plain(now)
}

/** What failed already says nothing of the change, unless the task is about that. */
async function failedBefore(
  { compares, detail }: Verdict,
  check: Check,
  context: CheckContext,
  asWas: AsWas,
): Promise<boolean> {
  if (compares === undefined) return false
  if (compares === 'failed' && /\b(?:tests?|lint\w*|types?|checks?|fail\w*|pass\w*)\b/i.test(context.task)) return false
  return await asWas(async (were) => {
    const files = were.files.map((file) => ({ ...file, after: file.before }))
    const before = await judged('', check, { ...were, files })
    return before?.passed === false && (compares === 'failed' || alike(before.detail, detail, context.task))
  })
}
