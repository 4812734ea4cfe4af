/** The tool `shell`: a command in the sandbox, waited for or in the background. */
import * as z from 'zod'
import { readBackground, startBackground, stopBackground } from './background.ts'
import { runCommand } from './command.ts'
import { failure, settle } from './result.ts'
import type { Tool } from './types.ts'

const defaultSeconds = 120

/** How more is asked for. */
const advice = {
  write: 'To write at one path outside, name it in `write` and run it again: the user is asked.',
  host: 'To reach one host, name it in `host` and run it again: the user is asked.',
} as const

const shape = z.object({
  command: z.string().optional(),
  timeout: z.number().optional().describe('seconds'),
  background: z.boolean().optional().describe('gives an id'),
  id: z.int().optional().describe('instead: read on from a background command'),
  stop: z.boolean().optional().describe('with id: end it'),
  write: z.string().optional().describe('outside path to write; the user is asked'),
  host: z.string().optional().describe('host to reach; the user is asked'),
})

type ShellInput = z.infer<typeof shape>

/** Models fill unused arguments with empty text and zeros. */
const commandOf = ({ command }: ShellInput): string | undefined => (command?.trim() ? command : undefined)
const idOf = ({ id }: ShellInput): number | undefined => (id === 0 ? undefined : id)

const input = shape.refine((value) => commandOf(value) === undefined || idOf(value) === undefined, {
  message: 'shell takes command, or id of a background command, not both',
})

export const shellTool: Tool<ShellInput> = {
  name: 'shell',
  description: 'Run a bash command in the work tree. It gets no input.',
  input,
  effects: (call) => {
    const command = commandOf(call)
    if (command === undefined) return []
    const [path, host] = [call.write?.trim(), call.host?.trim()]
    return [
      { kind: 'run', command },
      ...(path ? [{ kind: 'open-write', path } as const] : []),
      ...(host ? [{ kind: 'open-host', host } as const] : []),
    ]
  },
  run: (call, context) =>
    settle(context.signal, async () => {
      const { timeout, background, stop } = call
      const [command, id] = [commandOf(call), idOf(call)]
      const seconds = timeout && timeout > 0 ? timeout : undefined
      if (command === undefined && id !== undefined)
        return stop ? await stopBackground(context, id) : await readBackground(context, id, seconds)
      if (command === undefined)
        return failure('bad-arguments', 'command is empty. Give command, or id of a background command.')
      if (background) return await startBackground(context, command)
      const run = { line: command, shown: command, seconds: seconds ?? defaultSeconds }
      return await runCommand(context, { ...run, advice: (lacked) => `[${advice[lacked]}]` })
    }),
}
