/** `cachalot mcp`: an MCP server on stdin and stdout, by which other agents give us tasks. */
import { McpServer, type ServerContext } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import * as z from 'zod'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { version } from '../version.ts'
import { workTree } from '../work-tree.ts'
import { type OwnProcess, type OwnResult, runOwn } from './own-process.ts'
import { reportText } from './report-text.ts'

export interface McpFlags extends Readonly<Record<string, unknown>> {
  readonly cwd?: string
}

const task = z.string().trim().min(1)
const limits = {
  max_steps: z.int().positive().optional().describe('end after this many requests to the model'),
  max_seconds: z.number().positive().optional().describe('end after this much time'),
}

/**
 * Serves until stdin ends. Each task runs in a process of its own, in the same sandbox and with the same limits as from a
 * shell; one at a time, since they change the same files. `given`: settings for these processes, as flags.
 */
export async function mcpCommand({ cwd }: McpFlags, given: readonly string[]): Promise<number> {
  const root = workTree(cwd)
  const leaving = new AbortController()
  let turn: Promise<unknown> = Promise.resolve()

  async function run(own: Pick<OwnProcess, 'words' | 'stdin'>, context: ServerContext): Promise<OwnResult> {
    const signal = AbortSignal.any([context.mcpReq.signal, leaving.signal])
    const progress = progressOf(context)
    const mine = turn.then(() => runOwn({ ...own, signal, onEvent: progress }))
    turn = mine.catch(() => undefined) // told to whom it belongs
    return await mine
  }
  const answer = (result: OwnResult) => ({
    isError: result.exitCode !== 0,
    content: [{ type: 'text' as const, text: reportText(result) }],
  })
  const flag = (name: string, value: unknown): string[] => (value === undefined ? [] : [`--${name}`, String(value)])
  const place = ['--cwd', root]

  const server = new McpServer({ name: 'cachalot', title: 'Cachalot', version })
  server.registerTool(
    'run',
    {
      description: `Does one coding task in ${root}: edits files, runs commands in a sandbox, checks what it did. Gives the differences and how it ended.`,
      inputSchema: z.object({
        task: task.describe('what to do, in words; files that are named are shown to the model'),
        check: z.string().min(1).optional().describe('a command that must pass before the task is done'),
        ...limits,
      }),
    },
    async (input, context) => {
      const words = ['run', ...given, ...place, '--json', ...flag('check', input.check)]
      words.push(...flag('max-steps', input.max_steps), ...flag('max-seconds', input.max_seconds))
      // As stdin: words on the command line could be taken for options or for files.
      return answer(await run({ words, stdin: input.task }, context))
    },
  )
  server.registerTool(
    'fix',
    {
      description: `Repairs what a failing command in ${root} complains of. Changes that only silence the check are refused.`,
      inputSchema: z.object({ check: task.describe('the command that fails and has to pass'), ...limits }),
    },
    async (input, context) => {
      const words = ['fix', ...given, ...place, '--json', '--check', input.check]
      words.push(...flag('max-steps', input.max_steps), ...flag('max-seconds', input.max_seconds))
      return answer(await run({ words }, context))
    },
  )
  server.registerTool(
    'undo',
    {
      description: `Takes back what the last turns changed in ${root}; refuses to overwrite what was changed since.`,
      inputSchema: z.object({ count: z.int().min(1).max(100).default(1).describe('how many turns') }),
    },
    async ({ count }, context) => answer(await run({ words: ['undo', String(count), ...place] }, context)),
  )
  const transport = new StdioServerTransport()
  server.server.onerror = (error) => void process.stderr.write(`cachalot: ${sanitizeLine(error.message)}\n`)
  const closed = new Promise<void>((resolve) => {
    server.server.onclose = resolve
    process.stdin.once('end', resolve)
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => resolve())
  })
  await server.connect(transport)
  await closed
  leaving.abort()
  await turn
  return 0
}

/** Tells a client that asked for it what is going on. */
function progressOf({ mcpReq }: ServerContext): OwnProcess['onEvent'] {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return undefined
  let progress = 0
  return ({ type, name }) => {
    if (type !== 'step' && type !== 'tool-result') return
    progress += 1
    const message = type === 'step' ? 'asks the model' : `did ${String(name)}`
    // A client that is gone is told by its signal.
    mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken, progress, message } })
      .catch(() => undefined)
  }
}
