/** `!command`: a command of the user, in the sandbox; the model hears of it with the next message. */
import type { ToolResult } from '../../tools/index.ts'
import type { Desk } from './desk.ts'
import { sandboxMode } from './modes.ts'
import type { Turns } from './turns.ts'

export interface Shell {
  run(line: string): void
  /** Ends the command that runs; false when there is none. */
  interrupt(): boolean
}

/** Characters of output that the model is told. */
const toldLimit = 8000

export function openShell(desk: Desk, turns: Turns): Shell {
  const { transcript, ui } = desk
  let abort: AbortController | undefined
  let count = 0

  const run = async (line: string, signal: AbortSignal): Promise<void> => {
    count += 1
    const callId = `user-${count}`
    const began = Date.now()
    transcript.apply(
      { type: 'call', call: { id: callId, name: '!', arguments: {} }, effects: [{ kind: 'run', command: line }] },
      began,
    )
    const result = await desk.place
      .runCommand(line, {
        signal,
        mode: sandboxMode(ui.mode, 'workspace-write'),
        onOutput(text) {
          transcript.apply({ type: 'output', callId, text }, Date.now())
          desk.drawSoon()
        },
      })
      .then(
        ({ outcome, exitCode, output, seconds }): ToolResult => ({
          ok: outcome === 'exited' && exitCode === 0,
          content: output,
          details: { kind: 'command', command: line, outcome, exitCode, output, seconds },
        }),
        (error: unknown): ToolResult => ({
          ok: false,
          content: error instanceof Error ? error.message : String(error),
          details: { kind: 'failure', reason: 'sandbox' },
        }),
      )
    const seconds = (Date.now() - began) / 1000
    transcript.apply({ type: 'tool-result', callId, name: '!', result, seconds }, Date.now())
    const { details } = result
    const end = details.kind === 'command' ? `exit code ${details.exitCode}` : 'it could not run'
    turns.note(`I ran this command myself (${end}):\n$ ${line}\n${result.content.slice(-toldLimit)}`)
  }

  return {
    run(line) {
      if (abort !== undefined) return desk.say('A command of yours is running: Esc ends it.', { role: 'warning' })
      abort = new AbortController()
      void run(line, abort.signal).finally(() => {
        abort = undefined
        desk.draw()
      })
    },
    interrupt() {
      abort?.abort()
      return abort !== undefined
    },
  }
}
