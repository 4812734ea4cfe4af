/** Whether Seatbelt holds here: asked by running one real command under the profile, as with bubblewrap. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { commandEnvironment } from '../environment.ts'
import { CLOSE_INHERITED } from '../linux/plan.ts'
import { strictPolicy } from '../policy.ts'
import { runPlan } from '../process.ts'
import type { SessionFolder } from '../session-folder.ts'
import type { SpawnPlan } from '../spawn-plan.ts'
import type { Policy, SandboxProblem } from '../types.ts'
import { SANDBOX_EXEC, seatbeltArgs, seatbeltProfile } from './seatbelt.ts'

const BASH = '/bin/bash'
const TRACE = '.cachalot-self-test'

/** The plan of one command; `variables` are its environment. */
export function seatbeltPlan(
  line: string,
  cwd: string,
  policy: Policy,
  variables: Readonly<Record<string, string>>,
  home: string,
  temporary: string,
): SpawnPlan {
  const command = [BASH, '--norc', '-c', `${CLOSE_INHERITED}; exec ${BASH} --norc -c "$1"`, 'bash', line]
  const args = seatbeltArgs(seatbeltProfile(policy, home, temporary), command)
  return { file: SANDBOX_EXEC, args, env: variables, cwd, input: [], tree: 'group' }
}

/** Undefined when a command under the profile can do what it must and nothing of what it must not. Does not throw. */
export async function probeSeatbelt(
  env: Readonly<Record<string, string | undefined>>,
  folder: SessionFolder,
): Promise<SandboxProblem | undefined> {
  if (!existsSync(SANDBOX_EXEC)) return problem('sandbox-exec is not there')
  const home = env['HOME'] ?? homedir()
  const base = mkdtempSync(path.join(folder.path, 'self-test-'))
  const work = path.join(base, 'work')
  mkdirSync(work)
  try {
    const policy = strictPolicy(work)
    const { variables } = commandEnvironment({ from: env, pass: [], temporary: work, sandbox: 'seatbelt' })
    const line = `: >>"$HOME/${TRACE}" && echo home-open; : >written && echo written; (: </dev/tcp/1.1.1.1/443) && echo net-open; true`
    const limits = { seconds: 20, outputBytes: 65_536 }
    const plan = seatbeltPlan(line, work, policy, variables, home, work)
    const { output } = await runPlan(plan, folder, { limits, signal: new AbortController().signal })
    const seen = output.split('\n').filter((each) => /^(home-open|written|net-open)$/.test(each))
    return seen.join() === 'written' ? undefined : problem(`the self-test saw: ${output.slice(0, 300)}`)
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error))
  } finally {
    rmSync(base, { recursive: true, force: true })
    rmSync(path.join(home, TRACE), { force: true })
  }
}

const problem = (why: string): SandboxProblem => ({
  kind: 'platform',
  message:
    `No sandbox: Seatbelt does not hold here (${why}). Commands do not run; in a container or virtual machine that is ` +
    'the boundary, use --sandbox external.',
})
