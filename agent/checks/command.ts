/** Runs a command of a check in the sandbox. */
import { join } from 'node:path'
import type { CommandResult, Policy } from '../../sandbox/index.ts'
import type { CheckContext } from './types.ts'

/** Characters of a failure that a model is told: about 300 tokens. */
export const toldCharacters = 1000

/** Why a check could not be made. It is left out, and the summary says so. */
export class CheckUnavailable extends Error {
  override readonly name = 'CheckUnavailable'
}

/**
 * Runs a line in the work tree. `writes: false` is for checks of our own, which have no business in the user's files. Python
 * leaves no bytecode behind either way. Throws CheckUnavailable where a command cannot run here or its program is missing.
 */
export async function runCommand(
  { workspace, sandbox, policy, signal, instead }: CheckContext,
  line: string,
  { seconds, writes, stdin = '' }: { readonly seconds: number; readonly writes: boolean; readonly stdin?: string },
): Promise<CommandResult> {
  if (sandbox.problem !== undefined && policy.mode !== 'full-access') throw new CheckUnavailable('no sandbox here')
  const confined: Policy = policy.mode === 'full-access' || writes ? policy : { ...policy, mode: 'read-only' }
  const shown = instead?.map(({ path, bytes }) => ({ path: join(workspace.root, path), bytes }))
  const command = {
    ...{ line: `export PYTHONDONTWRITEBYTECODE=1; ${line}`, cwd: workspace.root, stdin },
    ...(shown !== undefined && { instead: shown }),
  }
  const limits = { seconds, outputBytes: 64 * 1024 }
  const result = await sandbox.run(command, { policy: confined, limits, signal })
  signal.throwIfAborted()
  if (result.outcome === 'exited' && result.exitCode === 127) {
    throw new CheckUnavailable(lastLines(result.output, 200) || 'its program is not installed')
  }
  return result
}

/** The end of an output, whole lines where possible: that is where programs say what is wrong. */
export function lastLines(text: string, characters: number): string {
  const trimmed = text.trim()
  if (trimmed.length <= characters) return trimmed
  const tail = trimmed.slice(-characters)
  const line = tail.indexOf('\n')
  return `…${line >= 0 && line < characters / 2 ? tail.slice(line) : tail}`
}

/** One word of a shell line, whatever is in it. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** The Python of the project where it has one. */
export const python = '"$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)"'

/** The Node that runs us, or another where a command does not see that one (it lies in a folder that is hidden from it). */
export const node = `"$([ -x ${shellWord(process.execPath)} ] && echo ${shellWord(process.execPath)} || echo node)"`
