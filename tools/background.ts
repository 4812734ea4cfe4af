/** Background commands as the tool `shell` gives them to the model: started, read, stopped, by their number. */
import { type BackgroundCommand, type CommandResult, SandboxError } from '../sandbox/index.ts'
import { maxChars, plainOutput, report, shorten, tell } from './command.ts'
import { charLimit, failure } from './result.ts'
import type { ToolContext, ToolResult } from './types.ts'

/** A command that fails at once is seen to fail; a server has said that it listens. */
const firstLookSeconds = 1.5
/** A look at one that prints nothing waits so long for it, unless the model says how long. */
const lookSeconds = 5
const longestLook = 60
const settleSeconds = 0.4

/** Starts one and tells what it printed first. It outlives the turn, and ends with the session. */
export async function startBackground(context: ToolContext, line: string): Promise<ToolResult> {
  const { background, policy, limits, workspace } = context
  if (background === undefined) return failure('sandbox', 'Commands cannot go on in the background here.')
  try {
    // Not the turn's signal: an interruption ends the turn, and not what the user may be looking at.
    const { signal } = new AbortController()
    const started = await background.start({ line, cwd: workspace.root }, { policy, limits, signal })
    return await look(context, started, firstLookSeconds)
  } catch (error) {
    if (error instanceof RangeError) return failure('denied', error.message)
    if (!(error instanceof SandboxError)) throw error
    return failure(error.kind === 'bad-command' ? 'bad-arguments' : 'sandbox', error.message)
  }
}

/** What a background command printed since the last look, or its end. */
export async function readBackground(context: ToolContext, id: number, seconds = lookSeconds): Promise<ToolResult> {
  const command = context.background?.get(id)
  if (command === undefined) return unknown(context, id)
  return await look(context, command, Math.min(seconds, longestLook))
}

export async function stopBackground(context: ToolContext, id: number): Promise<ToolResult> {
  const command = context.background?.get(id)
  if (command === undefined) return unknown(context, id)
  const { output } = await command.read()
  const result = await command.stop()
  return { ...ended(context, command, output, result), ok: true }
}

function unknown({ background }: ToolContext, id: number): ToolResult {
  const known = background?.all.map((one) => `${one.id} (${one.line})`) ?? []
  const there = known.length === 0 ? 'None was started.' : `There are: ${known.join(', ')}.`
  return failure('not-found', `There is no background command ${id}. ${there}`)
}

async function look(context: ToolContext, command: BackgroundCommand, seconds: number): Promise<ToolResult> {
  const first = await command.read(seconds)
  // What prints goes on printing for a moment, or ends right after.
  const rest = first.result === undefined && first.output !== '' ? await command.read(settleSeconds) : undefined
  const output = first.output + (rest?.output ?? '')
  const result = rest?.result ?? first.result
  if (result !== undefined) return ended(context, command, output, result)
  const text = shorten(plainOutput(output), { outputBytes: Buffer.byteLength(output) }, charLimit(context, maxChars))
  const content = `running in the background, id ${command.id}\n${text === '' ? '(no new output)' : text}`
  const { line } = command
  return {
    ok: true,
    content,
    details: { kind: 'command', command: line, exitCode: 0, outcome: 'running', seconds: 0, output },
  }
}

/** Its output is what was not read yet: the rest was shown. */
function ended(
  context: ToolContext,
  { id, line }: BackgroundCommand,
  output: string,
  result: CommandResult,
): ToolResult {
  const last = { ...result, output, outputBytes: Buffer.byteLength(output) }
  const told = tell(last, result.seconds, charLimit(context, maxChars))
  return report(line, last, `background command ${id}: ${told}`)
}
