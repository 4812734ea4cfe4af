import { heldGlobs } from '../../agent/index.ts'
import {
  landlockLacks,
  openSandbox,
  type Policy,
  parseHostRules,
  type Sandbox,
  SandboxError,
} from '../../sandbox/index.ts'
import type { Config } from '../config/settings.ts'
import { type Paths, resolvePaths } from '../paths.ts'
import { UsageError } from '../usage-error.ts'

/**
 * Opens the sandbox that the settings ask for. It tries itself with a child process, which takes a while: begun first,
 * it is ready when the rest of the program is.
 */
export function openWantedSandbox(config: Config, root: string): Promise<Sandbox> {
  return openSandbox({ roots: [root], backend: sandboxBackend(config.sandbox) })
}

/** What of the sandbox room a setting asks for. */
export function sandboxBackend(mode: Config['sandbox']): 'auto' | 'external' | 'landlock' | 'none' {
  if (mode === 'external' || mode === 'landlock') return mode
  return mode === 'full-access' ? 'none' : 'auto'
}

/** A list that cannot be read must not be found out by the first command. */
function checkedHosts(hosts: readonly string[]): readonly string[] {
  try {
    parseHostRules(hosts)
    return hosts
  } catch (error) {
    throw error instanceof SandboxError ? new UsageError(`sandbox.hosts: ${error.message}`) : error
  }
}

/** What commands may do, as the settings say. `cwd`: absolute, real path of the work tree. `paths`: our own folders, hidden. */
export function sandboxPolicy(config: Config, cwd: string, paths: Paths = resolvePaths()): Policy {
  return {
    mode: config.sandbox === 'external' || config.sandbox === 'landlock' ? 'workspace-write' : config.sandbox,
    // Who asks for the weaker box by its name does without what it lacks; docs/security.md says what that is.
    ...(config.sandbox === 'landlock' && { accepts: landlockLacks }),
    roots: [cwd],
    extraWrite: config.extraWrite,
    // Where they are is the user's choice; that they are secret is not.
    denyRead: [...config.denyRead, paths.config, paths.state],
    network: config.network,
    allowHosts: checkedHosts(config.allowHosts),
    passEnv: config.passEnv,
    ...heldGlobs(config.rules),
  }
}
