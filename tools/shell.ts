/** The tool `shell`: a command in the sandbox. */
import { stripVTControlCharacters } from 'node:util'
import * as z from 'zod'
import { type CommandResult, SandboxError } from '../sandbox/index.ts'
import { failure, settle } from './result.ts'
import type { Tool, ToolResult } from './types.ts'

/** Characters of output that the model is shown: beginning and end. */
const maxChars = 8000
const defaultSeconds = 120

const input = z.object({
  command: z.string(),
  timeout: z.number().optional().describe('seconds'),
})

export const shellTool: Tool<z.infer<typeof input>> = {
  name: 'shell',
  description: 'Run a bash command in the work tree, in a sandbox without network. It gets no input.',
  input,
  effects: ({ command }) => [{ kind: 'run', command }],
  run: ({ command, timeout }, context) =>
    settle(context.signal, async () => {
      if (command.trim() === '') return failure('bad-arguments', 'command is empty.')
      const { sandbox, policy, signal, onOutput, workspace } = context
      const seconds = Math.min(context.limits.seconds, timeout && timeout > 0 ? timeout : defaultSeconds)
      try {
        const result = await sandbox.run(
          { line: command, cwd: workspace.root },
          { policy, limits: { ...context.limits, seconds }, signal, onOutput },
        )
        return result.outcome === 'aborted'
          ? failure('aborted', `Stopped. ${tell(result, seconds)}`)
          : report(command, result, seconds)
      } catch (error) {
        if (!(error instanceof SandboxError)) throw error
        return failure(error.kind === 'bad-command' ? 'bad-arguments' : 'sandbox', error.message)
      }
    }),
}

function report(command: string, result: CommandResult, seconds: number): ToolResult {
  return {
    ok: result.outcome === 'exited' && result.exitCode === 0,
    content: tell(result, seconds),
    details: {
      kind: 'command',
      command,
      exitCode: result.exitCode,
      outcome: result.outcome,
      seconds: result.seconds,
      output: result.output,
    },
  }
}

function tell(result: CommandResult, seconds: number): string {
  const parts = [endOf(result, seconds), shorten(plainOutput(result.output), result), result.hint ?? '']
  return parts.filter((part) => part !== '').join('\n')
}

function endOf({ outcome, exitCode }: CommandResult, seconds: number): string {
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
function plainOutput(output: string): string {
  return stripVTControlCharacters(output)
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\r', line.length - 2) + 1).replace(/\r$/, ''))
    .join('\n')
    .trimEnd()
}

/** Head and tail, cut at line ends where there are any: errors stand first or last. */
function shorten(text: string, { outputBytes }: CommandResult): string {
  if (text.length <= maxChars) return text
  const head = text.slice(0, maxChars / 2)
  const tail = text.slice(-maxChars / 2)
  const first = head.slice(0, head.lastIndexOf('\n') + 1 || head.length).trimEnd()
  const last = tail.slice(tail.indexOf('\n') + 1)
  return `${first}\n… (output cut: ${outputBytes} bytes in all) …\n${last}`
}
