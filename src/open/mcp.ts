/** Tools of other programs (MCP), where the user has configured any. The protocol's package is loaded only then. */
import type { Config } from '../config/settings.ts'
import type { McpTools } from '../mcp/open.ts'

const none: McpTools = { tools: [], close: async () => undefined }

/** Never rejects: a server that does not work is left out with a notice. `cwd`: where programs are started. */
export async function openMoreTools(
  { servers }: Config,
  { cwd, onNotice }: { readonly cwd: string; readonly onNotice: (text: string) => void },
): Promise<McpTools> {
  if (servers.length === 0) return none
  const { openMcpTools } = await import('../mcp/open.ts')
  return await openMcpTools(servers, { cwd, environment: process.env, onNotice })
}
