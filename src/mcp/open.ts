/** The servers of the configuration, asked for their tools. A broken, slow or dead one is left out and said so. */
import type { Tool } from '../../tools/index.ts'
import type { McpServer } from '../config/mcp.ts'
import { type ConnectionOptions, openConnection, within } from './connection.ts'
import { resourceTool, toolsOf } from './tools.ts'

export interface McpOptions extends ConnectionOptions {
  /** A line for a person. */
  readonly onNotice: (text: string) => void
}

export interface McpTools {
  readonly tools: readonly Tool[]
  /** Ends the programs. Never rejects. */
  close(): Promise<void>
}

/** Never rejects, and takes as long as the slowest server's `start_seconds` at most. */
export async function openMcpTools(servers: readonly McpServer[], options: McpOptions): Promise<McpTools> {
  const connections = servers.map((server) => ({ server, connection: openConnection(server, options) }))
  const found = await Promise.all(
    connections.map(async ({ server, connection }) => {
      try {
        return await within(server.start_seconds, offered(server, connection))
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        options.onNotice(`the MCP server ${server.name} is left out: ${why.slice(0, 300)}`)
        await connection.close()
        return []
      }
    }),
  )
  return {
    tools: found.flat(),
    close: async () => void (await Promise.all(connections.map(({ connection }) => connection.close()))),
  }
}

async function offered(server: McpServer, connection: ReturnType<typeof openConnection>): Promise<Tool[]> {
  const client = await connection.client(new AbortController().signal)
  const can = client.getServerCapabilities()
  const { tools } = can?.tools === undefined ? { tools: [] } : await client.listTools()
  return [
    ...toolsOf(server, connection, tools),
    ...(can?.resources === undefined ? [] : [resourceTool(server, connection)]),
  ]
}
