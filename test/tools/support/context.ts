/** Tool contexts for tests: a real folder, and a sandbox that is not there unless one is given. */
import type { Policy, Sandbox, Workspace } from '../../../sandbox/index.ts'
import { SandboxError } from '../../../sandbox/index.ts'
import { allTools, parseCall, type ToolContext, type ToolResult } from '../../../tools/index.ts'

export const noSandbox: Sandbox = {
  backend: 'none',
  guarantees: [],
  problem: { kind: 'missing', message: 'No sandbox: run sudo apt-get install -y bubblewrap' },
  run: () => Promise.reject(new SandboxError('missing', 'no sandbox')),
}

export function toolContext(workspace: Workspace, changes: Partial<ToolContext> = {}): ToolContext {
  const policy: Policy = {
    mode: 'workspace-write',
    roots: [workspace.root],
    extraWrite: [],
    denyRead: [],
    network: 'off',
    passEnv: [],
  }
  return {
    workspace,
    sandbox: noSandbox,
    policy,
    limits: { seconds: 20, outputBytes: 100_000 },
    signal: new AbortController().signal,
    ...changes,
  }
}

/** As the loop does it: parse, then run. A call that does not parse fails the test. */
export async function call(context: ToolContext, name: string, args: unknown): Promise<ToolResult> {
  const parsed = parseCall(allTools, name, args)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.tool.run(parsed.input, context)
}

/** The reason of a failed result; undefined for one that went well. */
export const reasonOf = (result: ToolResult): string | undefined =>
  result.details.kind === 'failure' ? result.details.reason : undefined
