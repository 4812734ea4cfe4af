/** Finds out, once for each set of settings and process, what can confine commands on this machine. */
import { CommandNetworks } from './linux/command-network.ts'
import { type Check, type Probe, probeBwrap } from './linux/probe.ts'
import { probeLandlock } from './linux/probe-landlock.ts'
import { probeSeatbelt } from './macos/probe.ts'
import { realPath } from './policy.ts'
import { openSessionFolder, type SessionFolder } from './session-folder.ts'
import type { Sandbox, SandboxProblem } from './types.ts'

export interface SandboxOptions {
  /**
   * `auto`: bubblewrap, or a problem. `external`: the user says that this container or machine is the boundary.
   * `landlock`: the weaker box, for machines that refuse namespaces (the policy must accept what it lacks). `none`: no
   * sandbox; only policies of mode `full-access` run. From flags and user configuration only.
   */
  readonly backend?: 'auto' | 'external' | 'landlock' | 'none'
  /** Folders that commands may write to: no program of ours is taken from them. */
  readonly roots?: readonly string[]
  /** Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** What was found, and what it stands on. */
export interface Detected {
  readonly backend: Sandbox['backend']
  /** Set when bubblewrap was tried and works. */
  readonly probe: Extract<Probe, { ok: true }> | undefined
  readonly problem: SandboxProblem | undefined
  /** What the self-test looked at; empty when there was none. */
  readonly checks: readonly Check[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly roots: readonly string[]
  readonly folder: SessionFolder
  /** The networks that commands get; undefined without bubblewrap. */
  readonly networks: CommandNetworks | undefined
}

const probes = new Map<string, Promise<Probe>>()
let sessionFolder: SessionFolder | undefined
let seatbelt: Promise<SandboxProblem | undefined> | undefined
/** One for the process, so that all its commands share a loopback. */
let networks: CommandNetworks | undefined

/** Never rejects for a machine without a sandbox: `problem` then says why and what to do. */
export async function detect(options: SandboxOptions): Promise<Detected> {
  const env = options.env ?? process.env
  const roots = (options.roots ?? []).map((root) => realPath(root) ?? root)
  sessionFolder ??= openSessionFolder(roots, env['PATH'] ?? '')
  const common = { env, roots, folder: sessionFolder, probe: undefined, checks: [], networks: undefined }
  const wanted = options.backend ?? 'auto'
  if (wanted === 'landlock') return { ...common, backend: wanted, problem: await probeLandlock(common) }
  if (wanted !== 'auto') return { ...common, backend: wanted, problem: undefined }
  if (process.platform === 'darwin') {
    seatbelt ??= probeSeatbelt(env, sessionFolder)
    return { ...common, backend: 'seatbelt', problem: await seatbelt }
  }
  if (process.platform !== 'linux') return { ...common, backend: 'none', problem: unsupported(process.platform) }
  const key = JSON.stringify([roots, env['PATH'], env['HOME']])
  const probing = probes.get(key) ?? probeBwrap(roots, env, sessionFolder)
  probes.set(key, probing)
  const probe = await probing
  const pathVariable = env['PATH'] ?? ''
  if (probe.ok)
    networks ??= new CommandNetworks({ bwrap: probe.programs.bwrap, pathVariable, roots, folder: sessionFolder })
  return {
    ...common,
    backend: 'bwrap',
    probe: probe.ok ? probe : undefined,
    problem: probe.ok ? undefined : probe.problem,
    checks: probe.checks,
    networks,
  }
}

const unsupported = (platform: string): SandboxProblem => ({
  kind: 'platform',
  message:
    `No sandbox on ${platform} yet. Commands do not run; in a container that is the boundary, ` +
    'use --sandbox external.',
})
