/** Runs a command in the sandbox and tells what came of it. */
import { stripVTControlCharacters } from 'node:util'
import { type CommandResult, type Policy, SandboxError } from '../sandbox/index.ts'
import { charLimit, failure } from './result.ts'
import type { ToolContext, ToolResult } from './types.ts'

/** Characters of output that the model is shown: beginning and end. */
export const maxChars = 8000
/** Characters of output after which what is sure of it is told again. */
const leastNew = 200

export interface CommandRun {
  /** For bash. */
  readonly line: string
  /** What the screen shows of it. */
  readonly shown: string
  readonly seconds: number
  /** Default: the context's. */
  readonly policy?: Policy
  /** What the model can do when the sandbox is the likely reason of a failure. */
  readonly advice?: (lacked: NonNullable<CommandResult['lacked']>) => string
}

/** Everything that the command does, and a sandbox that is not there, is a result. */
export async function runCommand(context: ToolContext, run: CommandRun): Promise<ToolResult> {
  const { sandbox, workspace, signal } = context
  const seconds = Math.min(context.limits.seconds, run.seconds)
  const chars = charLimit(context, maxChars)
  const onOutput = withBeginning(context, chars)
  try {
    const result = await sandbox.run(
      { line: run.line, cwd: workspace.root },
      { policy: run.policy ?? context.policy, limits: { ...context.limits, seconds }, signal, onOutput },
    )
    if (result.outcome === 'aborted') return failure('aborted', `Stopped. ${tell(result, seconds, chars)}`)
    const told = tell(result, seconds, chars)
    const more = result.lacked === undefined ? undefined : run.advice?.(result.lacked)
    return report(run.shown, result, more === undefined ? told : `${told}\n${more}`)
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    return failure(error.kind === 'bad-command' ? 'bad-arguments' : 'sandbox', error.message)
  }
}

/** Passes output on to the screen, and tells what the result will begin with when the command ends well. */
function withBeginning({ onOutput, onBeginning }: ToolContext, chars: number): ((text: string) => void) | undefined {
  if (onBeginning === undefined) return onOutput
  let output = ''
  let looked = 0
  let told = 0
  return (text) => {
    onOutput?.(text)
    // Colours and overwritten lines take room that they do not have in the end; what comes later is of no account.
    if (output.length >= 4 * chars) return
    output += text
    if (output.length - looked < leastNew) return
    looked = output.length
    const sure = sureBeginning(output, chars)
    if (sure.length <= told) return
    told = sure.length
    onBeginning(`${endOf({ outcome: 'exited', exitCode: 0 }, 0)}\n${sure}`)
  }
}

/** What `shorten(plainOutput(…))` of an output that begins so begins with, however it goes on: whole lines of the head. */
export function sureBeginning(output: string, chars: number): string {
  const head = asShown(output.slice(0, output.lastIndexOf('\n') + 1)).slice(0, Math.floor(chars / 2))
  return head.slice(0, head.lastIndexOf('\n') + 1).trimEnd()
}

export function report(command: string, result: CommandResult, content: string): ToolResult {
  return {
    ok: result.outcome === 'exited' && result.exitCode === 0,
    content,
    details: {
      kind: 'command',
      command,
      exitCode: result.exitCode,
      outcome: result.outcome,
      seconds: result.seconds,
      output: result.output,
      ...(result.findings !== undefined && { findings: result.findings }),
      ...(result.connections !== undefined && { connections: result.connections }),
    },
  }
}

export function tell(result: CommandResult, seconds: number, chars: number): string {
  const parts = [endOf(result, seconds), shorten(plainOutput(result.output), result, chars), result.hint ?? '']
  return parts.filter((part) => part !== '').join('\n')
}

function endOf({ outcome, exitCode }: Pick<CommandResult, 'outcome' | 'exitCode'>, seconds: number): string {
  switch (outcome) {
    case 'exited':
      return `exit code ${exitCode}`
    case 'signalled':
      return `killed by signal ${exitCode - 128}`
    case 'timed-out':
      return `timed out after ${seconds} s and was stopped`
    case 'aborted':
      return 'aborted'
    default:
      return outcome satisfies never
  }
}

/** As a terminal would leave it: no colours, and of lines that were written over only the last state. */
export const plainOutput = (output: string): string => asShown(output).trimEnd()

const asShown = (output: string): string =>
  stripVTControlCharacters(output)
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\r', line.length - 2) + 1).replace(/\r$/, ''))
    .join('\n')

/** Head and tail, cut at line ends where there are any: errors stand first or last. */
export function shorten(
  text: string,
  { outputBytes, fullOutput }: Pick<CommandResult, 'outputBytes' | 'fullOutput'>,
  chars: number,
): string {
  if (text.length <= chars) return text
  const half = Math.floor(chars / 2)
  const head = text.slice(0, half)
  const tail = text.slice(-half)
  const first = head.slice(0, head.lastIndexOf('\n') + 1 || head.length).trimEnd()
  const last = tail.slice(tail.indexOf('\n') + 1)
  return `${first}\n… (output cut: ${outputBytes} bytes in all${fullOutput ? `, whole in ${fullOutput}` : ''}) …\n${last}`
}
