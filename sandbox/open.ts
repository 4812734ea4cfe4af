/** Opens the sandbox of this machine: chooses the backend by trying it, and runs commands in it. */
import { randomUUID } from 'node:crypto'
import { homedir } from 'node:os'
import { commandEnvironment } from './environment.ts'
import { denialHint } from './hint.ts'
import { findProgram } from './linux/binary.ts'
import { bwrapPlan, CLOSE_INHERITED } from './linux/plan.ts'
import { type Probe, probeBwrap } from './linux/probe.ts'
import { problemOf } from './linux/problems.ts'
import { checkPolicy, isInside, missingGuarantees, realPath } from './policy.ts'
import { COMMAND_MARK, type Ended, runPlan, type SpawnPlan } from './process.ts'
import { openSessionFolder, type SessionFolder } from './session-folder.ts'
import {
  type Command,
  type CommandResult,
  type Guarantee,
  type Policy,
  type RunOptions,
  type Sandbox,
  SandboxError,
  type SandboxProblem,
} from './types.ts'

export interface SandboxOptions {
  /**
   * `auto`: bubblewrap, or a problem. `external`: the user says that this container or machine is the boundary.
   * `none`: no sandbox; only policies of mode `full-access` run. From flags and user configuration only.
   */
  readonly backend?: 'auto' | 'external' | 'none'
  /** Folders that commands may write to: no program of ours is taken from them. */
  readonly roots?: readonly string[]
  /** Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Bytes of a command line; beyond this it is a mistake. */
const MAX_COMMAND_BYTES = 10_000_000

const GUARANTEES: Readonly<Record<Sandbox['backend'], readonly Guarantee[]>> = {
  bwrap: [
    ...(['write-outside', 'git-metadata', 'secrets-hidden', 'env-clean', 'net-off'] as const),
    ...(['unix-hidden', 'proc-isolated', 'kill-all', 'suid-free'] as const),
  ],
  external: ['env-clean'],
  none: [],
}

const probes = new Map<string, Promise<Probe>>()
let sessionFolder: SessionFolder | undefined

/** Opens the sandbox. Never rejects for a machine without one: `problem` then says why and what to do. */
export async function openSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const env = options.env ?? process.env
  const roots = (options.roots ?? []).map((root) => realPath(root) ?? root)
  sessionFolder ??= openSessionFolder(roots)
  const folder = sessionFolder
  const wanted = options.backend ?? 'auto'
  if (wanted !== 'auto') return sandboxOf(wanted, undefined, env, roots, folder)
  if (process.platform !== 'linux') {
    return sandboxOf('none', { ok: false, problem: unsupported(process.platform), checks: [] }, env, roots, folder)
  }
  const key = JSON.stringify([roots, env['PATH'], env['HOME']])
  const probe = probes.get(key) ?? probeBwrap(roots, env, folder)
  probes.set(key, probe)
  return sandboxOf('bwrap', await probe, env, roots, folder)
}

const unsupported = (platform: string): SandboxProblem => ({
  kind: 'platform',
  message: `No sandbox on ${platform} yet. Commands do not run; in a container that is the boundary, use --sandbox external.`,
})

function sandboxOf(
  backend: Sandbox['backend'],
  probe: Probe | undefined,
  env: Readonly<Record<string, string | undefined>>,
  roots: readonly string[],
  folder: SessionFolder,
): Sandbox {
  const problem = probe?.ok === false ? probe.problem : undefined
  const guarantees = problem === undefined ? GUARANTEES[backend] : []
  /** Full access means no sandbox, whatever this machine has. */
  const plain = (line: string, cwd: string, policy: Policy, name: string): SpawnPlan => {
    const bash = findProgram('bash', env['PATH'] ?? '', roots)
    if (bash === undefined) throw new SandboxError('missing', 'bash is not installed.')
    const { variables } = commandEnvironment({
      from: env,
      pass: name === 'none' ? Object.keys(env) : policy.passEnv,
      temporary: env['TMPDIR'] ?? '/tmp',
      sandbox: name,
      dropPathsIn: policy.roots,
    })
    const marked = { ...variables, [COMMAND_MARK]: randomUUID() }
    const args = ['-c', `${CLOSE_INHERITED}; exec ${bash} -c "$1"`, 'bash', line]
    return { file: bash, args, env: marked, cwd, input: [], tree: 'group' }
  }
  const confined = async (
    line: string,
    cwd: string,
    options: RunOptions,
    stdin: string | undefined,
  ): Promise<Ended> => {
    if (probe?.ok !== true) throw new SandboxError('self-test', 'The sandbox was not opened.')
    const { policy } = options
    const environment = commandEnvironment({ from: env, pass: policy.passEnv, temporary: '/tmp', sandbox: 'bwrap' })
    for (let attempt = 1; ; attempt++) {
      const plan = bwrapPlan(line, cwd, policy, environment, probe.machine, probe.programs)
      const end = await runPlan(plan, folder, { ...options, stdin })
      if (end.started) return end
      // A socket or file that went away between looking and mounting fails the set-up: look again, a few times.
      if (attempt < 3 && /No such file or directory|Not a directory/.test(end.output)) continue
      const { kind, message } = problemOf(end.output)
      throw new SandboxError(kind, message)
    }
  }
  return {
    backend,
    guarantees,
    problem,
    async run(command: Command, options: RunOptions): Promise<CommandResult> {
      const { policy } = options
      const full = policy.mode === 'full-access'
      if (problem !== undefined && !full) throw new SandboxError(problem.kind, problem.message)
      const missing = missingGuarantees(policy, { backend, guarantees })
      if (missing.length > 0) {
        throw new SandboxError(
          'policy-gap',
          `The mode ${policy.mode} needs what "${backend}" does not give: ${missing.join(', ')}. ` +
            'Install bubblewrap, or choose full-access in words.',
        )
      }
      checkPolicy(policy, env['HOME'] ?? homedir())
      const cwd = checkCommand(command, policy)
      const end =
        full || backend !== 'bwrap'
          ? await runPlan(plain(command.line, cwd, policy, full ? 'none' : backend), folder, {
              ...options,
              stdin: command.stdin,
            })
          : await confined(command.line, cwd, options, command.stdin)
      const { started: _, ...result } = end
      const hint = result.hint ?? (full || backend !== 'bwrap' ? undefined : denialHint(result))
      return hint === undefined ? result : { ...result, hint }
    },
  }
}

/** Refuses what cannot be run, and gives the real folder to run in. */
function checkCommand(command: Command, policy: Policy): string {
  if (command.line.includes('\0')) throw new SandboxError('bad-command', 'A command may not contain a NUL byte.')
  if (Buffer.byteLength(command.line) > MAX_COMMAND_BYTES) {
    throw new SandboxError('bad-command', 'The command is longer than 10 MB. Write it to a file and run that.')
  }
  const cwd = realPath(command.cwd)
  if (cwd === undefined) throw new SandboxError('bad-command', `The folder ${command.cwd} does not exist.`)
  const allowed = policy.mode === 'full-access' || policy.roots.some((root) => isInside(cwd, root))
  if (!allowed) throw new SandboxError('bad-command', `The folder ${command.cwd} is outside the work tree.`)
  return cwd
}
