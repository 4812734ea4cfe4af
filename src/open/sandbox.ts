import { openSandbox, type Sandbox } from '../../sandbox/index.ts'
import type { Config } from '../config/settings.ts'

/**
 * Opens the sandbox that the settings ask for. It tries itself with a child process, which takes a while: begun first,
 * it is ready when the rest of the program is.
 */
export function openWantedSandbox(config: Config, root: string): Promise<Sandbox> {
  return openSandbox({ roots: [root], backend: backendOf(config.sandbox) })
}

function backendOf(mode: Config['sandbox']): 'auto' | 'external' | 'none' {
  if (mode === 'external') return 'external'
  return mode === 'full-access' ? 'none' : 'auto'
}
