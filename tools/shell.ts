/** The tool `shell`: a command in the sandbox. */
import * as z from 'zod'
import { runCommand } from './command.ts'
import { failure, settle } from './result.ts'
import type { Tool } from './types.ts'

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
      const seconds = timeout && timeout > 0 ? timeout : defaultSeconds
      return await runCommand(context, { line: command, shown: command, seconds })
    }),
}
