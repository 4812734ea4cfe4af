/** How much the agent may do without asking, and who holds it to that. */
import type { SandboxMode } from '../../sandbox/index.ts'
import type { Effect } from '../../tools/index.ts'

/**
 * `plan`: reads only; the sandbox and the tools refuse the rest. `ask`: a person allows each change and command.
 * `auto-edit`: changes go through, commands are asked for. `auto`: both go through, inside the sandbox.
 */
export type Mode = 'plan' | 'ask' | 'auto-edit' | 'auto'

export const modes: readonly Mode[] = ['plan', 'ask', 'auto-edit', 'auto']

export const modeHelp: Readonly<Record<Mode, string>> = {
  plan: 'reads and thinks; changes nothing, held to it by the sandbox',
  ask: 'asks before each change and each command',
  'auto-edit': 'changes files by itself, asks before commands',
  auto: 'changes files and runs commands by itself, inside the sandbox',
}

export const nextMode = (mode: Mode): Mode => modes[(modes.indexOf(mode) + 1) % modes.length] as Mode

/** The sandbox's mode under which each works. */
export const sandboxMode = (mode: Mode, widest: SandboxMode): SandboxMode => (mode === 'plan' ? 'read-only' : widest)

/** Whether a person is asked before this, where no rule of the session allows it. */
export function asksBefore(mode: Mode, effect: Effect): boolean {
  if (effect.kind === 'read') return false
  if (effect.kind === 'write') return mode === 'ask' || mode === 'plan'
  // What the user's configuration lists needs no second yes; in `plan` the policy itself asks.
  if (effect.kind === 'call') return !effect.listed && mode !== 'auto'
  return mode === 'ask' || mode === 'auto-edit'
}
