/** The tools of an MCP server as tools of a session. Their names, descriptions and results are untrusted text. */
import type { Tool as ServerTool } from '@modelcontextprotocol/client'
import * as z from 'zod'
import { type Effect, failure, type Tool, type ToolContext, type ToolResult, toolSchema } from '../../tools/index.ts'
import type { McpServer } from '../config/mcp.ts'
import { sanitize } from '../terminal/sanitize.ts'
import type { Connection } from './connection.ts'
import { resultText } from './result-text.ts'

/** A tool list stands in every prompt: more than this of it is cut. */
const mostTools = 64
const longestDescription = 600
const longestSchema = 8000
/** As long as the longest that our own tools give. */
const longestResult = 32_000

/** What the server offers, as far as the configuration lets it. */
export function toolsOf(server: McpServer, connection: Connection, offered: readonly ServerTool[]): Tool[] {
  const found = new Map<string, Tool>()
  for (const { name, description, inputSchema } of offered) {
    if (server.tools !== undefined && !matches(server.tools, name)) continue
    const own = prefixed(server.name, name)
    if (found.has(own) || found.size >= mostTools) continue
    found.set(own, {
      name: own,
      description: describe(server.name, description ?? name),
      input: inputOf(inputSchema),
      effects: (given) => [effectOf(server, name, given)],
      run: (input, context) =>
        asked(server, name, connection, context, async (client, options) =>
          resultText(await client.callTool({ name, arguments: input as Record<string, unknown> }, options)),
        ),
    })
  }
  return [...found.values()]
}

/** Resources of a server: listed without an address, read with one. */
export function resourceTool(server: McpServer, connection: Connection): Tool {
  const name = 'resources'
  const input = z.object({ uri: z.string().optional().describe('left out: lists them') })
  return {
    name: prefixed(server.name, name),
    description: `Lists the resources of ${server.name}, or reads one.`,
    input: input as z.ZodType<unknown>,
    effects: (given) => [effectOf(server, name, given)],
    run: (given, context) =>
      asked(server, name, connection, context, async (client, options) => {
        const { uri } = given as z.infer<typeof input>
        if (uri === undefined) {
          const { resources } = await client.listResources(undefined, options)
          const lines = resources.map((each) => `${each.uri}  ${each.title ?? each.name}`)
          return { ok: true, text: lines.join('\n') || 'There are none.' }
        }
        const { contents } = await client.readResource({ uri }, options)
        return resultText({ content: contents.map((resource) => ({ type: 'resource', resource })) })
      }),
  }
}

function effectOf({ name: server, allow }: McpServer, tool: string, input: unknown): Effect {
  return { kind: 'call', server, tool, input: JSON.stringify(input ?? {}), listed: matches(allow, tool) }
}

type Client = Awaited<ReturnType<Connection['client']>>

/** Whatever the server does, the call has a result, and in time. */
async function asked(
  server: McpServer,
  tool: string,
  connection: Connection,
  { signal, maxChars = longestResult }: ToolContext,
  work: (client: Client, options: { signal: AbortSignal; timeout: number }) => Promise<{ ok: boolean; text: string }>,
): Promise<ToolResult> {
  try {
    const client = await connection.client(signal)
    const { ok, text } = await work(client, { signal, timeout: server.call_seconds * 1000 })
    const shown = sanitize(text)
    const cut =
      shown.length > maxChars ? `${shown.slice(0, maxChars)}\n[cut: ${shown.length} characters in all]` : shown
    return { ok, content: cut, details: { kind: 'call', server: server.name, tool, text: cut } }
  } catch (error) {
    if (signal.aborted) return failure('aborted', 'Stopped before it was done.')
    const why = sanitize(error instanceof Error ? error.message : String(error)).slice(0, 500)
    return failure('io', `The server ${server.name} did not answer ${tool}: ${why}. Go on without it.`)
  }
}

/** As models and endpoints take names of tools: letters, digits, `_` and `-`, at most 64. */
function prefixed(server: string, tool: string): string {
  return `mcp_${server}_${tool.replace(/[^\w-]/g, '_')}`.slice(0, 64)
}

const describe = (server: string, description: string): string => {
  const line = sanitize(description).replace(/\s+/g, ' ').trim()
  return `(${server}) ${line.length > longestDescription ? `${line.slice(0, longestDescription)}…` : line}`
}

/** Its own schema where that can be read and is not too long for a prompt; else any object. */
function inputOf(schema: unknown): z.ZodType<unknown> {
  const any = z.looseObject({})
  try {
    if (JSON.stringify(schema).length > longestSchema) return any
    const input = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
    toolSchema({ input })
    return input
  } catch {
    return any // the server will say what it wants
  }
}

/** Whether a name is one of these, `*` standing for any letters. */
export function matches(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    return new RegExp(`^${parts.join('.*')}$`, 's').test(name)
  })
}
