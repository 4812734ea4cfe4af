/**
 * A connection to one MCP server, made when first needed and again when it broke. Everything that comes from it is
 * hostile until parsed; the protocol's own package parses the messages, we bound their size and time.
 */
import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { McpServer } from '../config/mcp.ts'
import { version } from '../version.ts'

/** A larger message ends the connection. */
const mostMessageBytes = 8 * 1024 * 1024

export interface Connection {
  /** The client, connected. Rejects with an Error that says what is wrong with the server. */
  client(signal: AbortSignal): Promise<Client>
  /** Never rejects. */
  close(): Promise<void>
}

export interface ConnectionOptions {
  /** Absolute path of the work tree: where a program is started. */
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

export function openConnection(server: McpServer, { cwd, environment }: ConnectionOptions): Connection {
  let held: Promise<Client> | undefined

  async function connect(): Promise<Client> {
    const client = new Client({ name: 'cachalot', version })
    const transport = transportOf(server, cwd, environment)
    client.onclose = () => {
      held = undefined
    }
    // Lines that are no message and the like: what was asked for then fails by its time.
    client.onerror = () => undefined
    try {
      await within(server.start_seconds, client.connect(transport))
      return client
    } catch (error) {
      await client.close().catch(() => undefined) // it never was open
      throw error
    }
  }

  return {
    async client(signal) {
      signal.throwIfAborted()
      if (held === undefined) {
        const opening = connect()
        held = opening
        // Tried again with the next call.
        opening.catch(() => {
          if (held === opening) held = undefined
        })
      }
      return await held
    },
    async close() {
      const open = held
      held = undefined
      await open?.then((client) => client.close()).catch(() => undefined) // gone already
    },
  }
}

function transportOf(server: McpServer, cwd: string, environment: ConnectionOptions['environment']): Transport {
  const { command, url, args, env, pass_env: passed, headers, token_env: token } = server
  if (command !== undefined) {
    const given = passed.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]]))
    return new StdioClientTransport({
      ...{ command, args: [...args], cwd, maxBufferSize: mostMessageBytes },
      // Its words must not get into our screen, nor fill a pipe that nobody reads.
      stderr: 'ignore',
      env: { ...getDefaultEnvironment(), ...(Object.fromEntries(given) as Record<string, string>), ...env },
    })
  }
  const key = token === undefined ? undefined : environment[token]
  if (token !== undefined && key === undefined) throw new Error(`the variable ${token} (token_env) is not set`)
  return new StreamableHTTPClientTransport(new URL(url ?? ''), {
    requestInit: {
      headers: { ...headers, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      redirect: 'error',
    },
  })
}

/** Rejects when it takes longer. */
export async function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${seconds} s`)), seconds * 1000)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
    work.catch(() => undefined) // told by the race, or too late
  }
}
