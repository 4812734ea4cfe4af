/** Opens the sandbox of this machine: chooses the backend by trying it, and runs commands in it. */
import { randomUUID } from 'node:crypto'
import { homedir } from 'node:os'
import path from 'node:path'
import { type Detected, detect, type SandboxOptions } from './detect.ts'
import { commandEnvironment } from './environment.ts'
import { guaranteesOf } from './guarantees.ts'
import { denialHint } from './hint.ts'
import { findProgram } from './linux/binary.ts'
import { landlockPlan } from './linux/landlock.ts'
import { bwrapPlan, CLOSE_INHERITED } from './linux/plan.ts'
import { changedMessage, problemOf, vanished } from './linux/problems.ts'
import { seatbeltPlan } from './macos/probe.ts'
import { checkPolicy, isInside, missingGuarantees, realPath } from './policy.ts'
import { COMMAND_MARK, type Ended, runPlan } from './process.ts'
import type { SpawnPlan } from './spawn-plan.ts'
import { armTripwire, type Tripwire } from './tripwire.ts'
import {
  type Command,
  type CommandResult,
  type Connection,
  type Finding,
  type Policy,
  type RunOptions,
  type Sandbox,
  SandboxError,
} from './types.ts'

/** Bytes of a command line; beyond this it is a mistake. */
const MAX_COMMAND_BYTES = 10_000_000
/** How often a command is tried whose set-up failed because something went away meanwhile. */
const ATTEMPTS = 3

/** Opens the sandbox. Never rejects for a machine without one: `problem` then says why and what to do. */
export async function openSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const found = await detect(options)
  const { backend, problem } = found
  const guarantees = guaranteesOf(backend, problem === undefined)
  return {
    backend,
    guarantees,
    problem,
    async run(command: Command, options: RunOptions): Promise<CommandResult> {
      const { policy: wanted } = options
      // Full access means no sandbox, whatever this machine has.
      const full = wanted.mode === 'full-access'
      if (problem !== undefined && !full) throw new SandboxError(problem.kind, problem.message)
      const missing = missingGuarantees(wanted, { backend, guarantees })
      if (missing.length > 0) {
        throw new SandboxError(
          'policy-gap',
          `The mode ${wanted.mode} needs what "${backend}" does not give: ${missing.join(', ')}. ` +
            'Use bubblewrap, accept the gap in your own configuration, or choose full-access in words.',
        )
      }
      checkPolicy(wanted, found.env['HOME'] ?? homedir())
      const policy = backend === 'bwrap' || backend === 'seatbelt' ? await withPaths(wanted) : wanted
      const cwd = checkCommand(command, policy)
      const confined = backend === 'bwrap' && !full
      if (command.instead !== undefined && !canShow({ backend, problem }, wanted)) {
        throw new SandboxError('bad-command', 'Only bubblewrap shows a command other files than there are.')
      }
      const tripwire = await armFor(policy, confined)
      const end = confined
        ? await runConfined(found, command, cwd, { ...options, policy }, tripwire)
        : await runPlan(groupPlan(found, command.line, cwd, policy), found.folder, { ...options, stdin: command.stdin })
      const { started: _, ...result } = end
      const findings = tripwire === undefined ? [] : await settleFindings(tripwire)
      const told = findings.length > 0 ? `[sandbox: ${findings.map((each) => each.message).join('; ')}]` : undefined
      const guess = confined && result.hint === undefined ? denialHint(result) : {}
      const hint = told ?? result.hint ?? guess.hint
      const more = { ...guess, ...(findings.length > 0 && { findings }), ...(hint !== undefined && { hint }) }
      return { ...result, ...more }
    },
  }
}

/** Whether commands can be shown a file with another content than it has: see `Command.instead`. */
export const canShow = ({ backend, problem }: Pick<Sandbox, 'backend' | 'problem'>, { mode }: Policy): boolean =>
  backend === 'bwrap' && problem === undefined && mode !== 'full-access'

/** The policy with its globs as the paths that they name now; see held.ts, which is loaded when there are any. */
export async function withPaths(policy: Policy): Promise<Policy> {
  const { readOnlyGlobs = [], hiddenGlobs = [] } = policy
  if (policy.mode === 'full-access' || readOnlyGlobs.length + hiddenGlobs.length === 0) return policy
  return (await import('./held.ts')).expandGlobs(policy)
}

/** Nothing to watch where nothing can be written, and where the user gave everything away. */
async function armFor(policy: Policy, confined: boolean): Promise<Tripwire | undefined> {
  if (policy.mode !== 'workspace-write') return undefined
  // In the box git's data are mounted read-only and the filter refuses set-id modes; without it both are looked at.
  return armTripwire(policy.roots, { metadata: !confined || policy.git === 'writable' })
}

/** What makes git run programs, and what gives rights, is taken back at once; the rest may be meant, and is told. */
async function settleFindings(tripwire: Tripwire): Promise<Finding[]> {
  const settled: Finding[] = []
  for (const finding of await tripwire.check()) settled.push(await tripwire.revert(finding))
  return settled
}

async function runConfined(
  found: Detected,
  command: Command,
  cwd: string,
  options: RunOptions,
  tripwire: Tripwire | undefined,
): Promise<Ended> {
  const { env, probe, folder, networks } = found
  if (probe === undefined || networks === undefined) throw new SandboxError('self-test', 'The sandbox was not opened.')
  const { policy } = options
  const environment = commandEnvironment({ from: env, pass: policy.passEnv, temporary: '/tmp', sandbox: 'bwrap' })
  const network = await networks.of(policy, options.background === true)
  Object.assign(environment.variables, network.variables)
  try {
    for (let attempt = 1; ; attempt++) {
      // Only the roots were looked at; what else is writable is looked at when the plan is made.
      const seen = (root: string) => (policy.roots.includes(root) ? tripwire?.gitEntries(root) : undefined)
      const { machine, programs } = probe
      const plan = bwrapPlan(command, cwd, policy, environment, machine, programs, network.enter, seen)
      const end = await runPlan(plan, folder, { ...options, stdin: command.stdin })
      if (end.started) return withConnections(end, network.connections())
      // A socket or file that went away between looking and mounting fails the set-up: look again.
      const changed = end.misplaced ?? vanished(end.output)
      if (changed === undefined) throw problemOfEnd(end)
      if (attempt >= ATTEMPTS) throw new SandboxError('self-test', changedMessage(changed))
    }
  } finally {
    network.close()
  }
}

function problemOfEnd({ output }: Ended): SandboxError {
  const { kind, message } = problemOf(output)
  return new SandboxError(kind, message)
}

function withConnections(end: Ended, connections: readonly Connection[]): Ended {
  if (connections.length === 0) return end
  const refused = connections.filter(({ allowed }) => !allowed).map(({ host, port }) => `${host}:${port}`)
  if (refused.length === 0 || end.exitCode === 0) return { ...end, connections }
  return {
    ...end,
    connections,
    hint: end.hint ?? `[sandbox: hosts that are not allowed: ${refused.join(', ')}]`,
    lacked: 'host',
  }
}

/** Without namespaces: Seatbelt, full access, or a container that the user vouches for. */
function groupPlan(found: Detected, line: string, cwd: string, policy: Policy): SpawnPlan {
  const { backend, env, roots, folder } = found
  if (backend === 'seatbelt' && policy.mode !== 'full-access') {
    const temporary = realPath(path.join(folder.path, 'tmp')) ?? folder.path
    const { variables } = commandEnvironment({ from: env, pass: policy.passEnv, temporary, sandbox: 'seatbelt' })
    const marked = { ...variables, [COMMAND_MARK]: randomUUID() }
    return seatbeltPlan(line, cwd, policy, marked, env['HOME'] ?? homedir(), temporary)
  }
  const bash = findProgram('bash', env['PATH'] ?? '', roots)
  if (bash === undefined) throw new SandboxError('missing', 'bash is not installed.')
  const full = policy.mode === 'full-access'
  if (backend === 'landlock' && !full) {
    return landlockPlan(line, cwd, policy, { env, bash, temporary: path.join(folder.path, 'tmp') }, randomUUID())
  }
  const { variables } = commandEnvironment({
    from: env,
    pass: full ? Object.keys(env) : policy.passEnv,
    temporary: env['TMPDIR'] ?? '/tmp',
    sandbox: full ? 'none' : backend,
    dropPathsIn: policy.roots,
  })
  const marked = { ...variables, [COMMAND_MARK]: randomUUID() }
  const args = ['--norc', '-c', `${CLOSE_INHERITED}; exec ${bash} --norc -c "$1"`, 'bash', line]
  return { file: bash, args, env: marked, cwd, input: [], tree: 'group' }
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
  for (const { path: file } of command.instead ?? []) {
    // What is a link, or is none of the roots', is not what a mount at this name would cover.
    if (realPath(file) !== file || !policy.roots.some((root) => file !== root && isInside(file, root))) {
      throw new SandboxError('bad-command', `${file} is no file of the work tree.`)
    }
  }
  return cwd
}
