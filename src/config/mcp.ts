/** `[mcp.<name>]` of the user's configuration: other programs whose tools a session may call. */
import * as z from 'zod'
import { UsageError } from '../usage-error.ts'

/** What a file says, not checked yet. */
export interface RawServers {
  readonly value: unknown
  /** The file. */
  readonly origin: string
}

const text = z.string().min(1, 'must not be empty')
const variable = z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable')
const seconds = z.number('must be a number').positive('must be more than 0').max(3600, 'must be at most 3600')

const schema = z
  .strictObject({
    /** A program that speaks over its stdin and stdout. Runs with the user's rights, not in the sandbox. */
    command: text.optional(),
    args: z.array(z.string()).default([]),
    env: z.record(variable, z.string()).default({}),
    pass_env: z.array(variable).default([]),
    /** Or an address (streamable HTTP). */
    url: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
    headers: z.record(z.string(), z.string()).default({}),
    token_env: variable.optional(),
    /** Tools that may be called without a question: names, `*` for any letters. */
    allow: z.array(text).default([]),
    /** Only these tools are offered; default: all. */
    tools: z.array(text).optional(),
    enabled: z.boolean().default(true),
    start_seconds: seconds.default(10),
    call_seconds: seconds.default(60),
  })
  .refine(({ command, url }) => (command === undefined) !== (url === undefined), 'needs either command or url')

/** One server as the user configured it. */
export interface McpServer extends Readonly<Omit<z.infer<typeof schema>, 'enabled'>> {
  readonly name: string
}

/** Those that are enabled. Throws UsageError with the file and the table. */
export function checkServers({ value, origin }: RawServers): McpServer[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${origin}: mcp: write a table [mcp.<name>] for each server`)
  }
  return Object.entries(value).flatMap(([name, one]: [string, unknown]): McpServer[] => {
    const fail = (problem: string): UsageError => new UsageError(`${origin}: [mcp.${name}]: ${problem}`)
    if (!/^[a-z0-9][a-z0-9-]{0,23}$/.test(name)) {
      throw fail('the name may have small letters, digits and hyphens, at most 24')
    }
    const parsed = schema.safeParse(one)
    if (!parsed.success) {
      throw fail(parsed.error.issues.map(({ path, message }) => [...path.map(String), message].join(' ')).join('; '))
    }
    const { enabled, ...server } = parsed.data
    return enabled ? [{ name, ...server }] : []
  })
}
