/** Whether Landlock holds here: asked, as with the other boxes, by looking at what one command can do. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { strictPolicy } from '../policy.ts'
import { runPlan } from '../process.ts'
import type { SessionFolder } from '../session-folder.ts'
import type { SandboxProblem } from '../types.ts'
import { findProgram } from './binary.ts'
import { landlockPlan, landlockProblem } from './landlock.ts'

/** Undefined when it holds. Does not throw. */
export async function probeLandlock(found: {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly roots: readonly string[]
  readonly folder: SessionFolder
}): Promise<SandboxProblem | undefined> {
  const { env, roots, folder } = found
  const first = landlockProblem()
  if (first !== undefined) return first
  const bash = findProgram('bash', env['PATH'] ?? '', roots)
  if (bash === undefined) return { kind: 'missing', message: 'No sandbox: bash is not installed.' }
  const base = mkdtempSync(path.join(folder.path, 'self-test-'))
  const [work, outside, temporary] = ['work', 'outside', 'tmp'].map((name) => path.join(base, name)) as [
    string,
    string,
    string,
  ]
  try {
    for (const each of [work, outside, temporary]) mkdirSync(each)
    const policy = strictPolicy(work)
    const line = `: >written; : >${outside}/x; (: </dev/udp/127.0.0.1/9) && echo NET; grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status`
    const plan = landlockPlan(line, work, policy, { env, bash, temporary }, 'self-test')
    const limits = { seconds: 20, outputBytes: 65_536 }
    const { output } = await runPlan(plan, folder, { limits, signal: new AbortController().signal })
    const holds =
      existsSync(path.join(work, 'written')) &&
      !existsSync(path.join(outside, 'x')) &&
      !output.includes('NET') &&
      /NoNewPrivs:\s+1\nSeccomp:\s+2/.test(output)
    if (holds) return undefined
    return { kind: 'self-test', message: `No sandbox: Landlock does not hold here: ${output.trim().slice(0, 300)}` }
  } catch (error) {
    return { kind: 'self-test', message: `No sandbox: ${error instanceof Error ? error.message : String(error)}` }
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
}
