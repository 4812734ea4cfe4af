/** `cachalot sandbox -- <command>`: any command in the box that the model's commands get. */
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { exitCode } from '../../agent/index.ts'
import { explainPolicy, openSandbox, type Policy, plainText, SandboxError, withPaths } from '../../sandbox/index.ts'
import { resolveConfig } from '../config/resolve.ts'
import { sandboxBackend, sandboxPolicy } from '../open/sandbox.ts'
import { resolvePaths } from '../paths.ts'
import { watchInterrupts } from '../run/interrupt.ts'
import { isPiped, readStdin } from '../run/task.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { UsageError } from '../usage-error.ts'
import { workTree } from '../work-tree.ts'

export interface SandboxFlags extends Readonly<Record<string, unknown>> {
  readonly cwd?: string
  readonly net?: boolean
  readonly host?: readonly string[]
  readonly write?: readonly string[]
  readonly explain?: boolean
}

/** A command that a person started ends when that person says so; timers hold no more than 2^31 ms. */
const seconds = 7 * 24 * 3600
/** What is kept of the output besides what is passed on: nothing is needed. */
const outputBytes = 64 * 1024

/**
 * Runs the command and gives its exit code (128 + n for a death by signal n), or 4 with the reason on stderr when the
 * box cannot be made. One word is a line for bash; several are a program and its arguments, passed as they are.
 */
export async function sandboxCommand(words: readonly string[], flags: SandboxFlags): Promise<number> {
  const cwd = workTree(flags.cwd)
  const { config } = resolveConfig({ cwd, paths: resolvePaths(), environment: process.env, flags })
  const policy: Policy = {
    ...sandboxPolicy(config, cwd),
    extraWrite: [...config.extraWrite, ...(flags.write ?? []).map(writable)],
    allowHosts: [...config.allowHosts, ...(flags.host ?? [])],
    ...(flags.net === true && { network: 'full' as const }),
  }
  const sandbox = await openSandbox({ roots: [cwd], backend: sandboxBackend(config.sandbox) })
  if (flags.explain === true) {
    const found = await withPaths(policy)
    for (const line of explainPolicy(found, sandbox)) process.stdout.write(`${sanitizeLine(line)}\n`)
    if (words.length === 0) return sandbox.problem === undefined ? 0 : exitCode.sandbox
  }
  if (words.length === 0) throw new UsageError('no command given. Run: cachalot sandbox -- npm test')

  const interrupts = watchInterrupts(() => process.exit(exitCode.interrupted))
  const write = (text: string): boolean => process.stdout.write(process.stdout.isTTY === true ? plainText(text) : text)
  process.stdout.on('error', () => interrupts.interrupt()) // nobody reads any more
  try {
    const stdin = isPiped(0) ? await readStdin(process.stdin) : undefined
    const line = words.length === 1 ? words.join('') : words.map(quoted).join(' ')
    const result = await sandbox.run(
      { line, cwd, ...(stdin !== undefined && { stdin }) },
      { policy, limits: { seconds, outputBytes }, signal: interrupts.signal, onOutput: write },
    )
    for (const { message } of result.findings ?? []) process.stderr.write(`cachalot: ${sanitizeLine(message)}\n`)
    return result.outcome === 'aborted' ? exitCode.interrupted : result.exitCode
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    process.stderr.write(`cachalot: ${sanitizeLine(error.message)}\n`)
    return exitCode.sandbox
  } finally {
    interrupts.dispose()
  }
}

function writable(path: string): string {
  try {
    return realpathSync(resolve(path))
  } catch {
    throw new UsageError(`--write: ${resolve(path)} does not exist`)
  }
}

/** A word as bash takes it: everything inside single quotes stands for itself. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
