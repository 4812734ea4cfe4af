/** An earlier session as the events that a front end drew then. */
import { open, stat } from 'node:fs/promises'
import type { Usage } from '../../engine/index.ts'
import { allTools, type Effect, parseCall, type ToolDetails } from '../../tools/index.ts'
import { type AgentEvent, type ExitReason, exitCode } from '../events.ts'
import { type LogRecord, logRecord } from './format.ts'

type ResultEvent = Extract<AgentEvent, { type: 'result' }>

export type Replayed = { readonly type: 'input'; readonly text: string } | AgentEvent

/**
 * The last turns of a log, about `bytes` of it from its end, and at least the last turn where that is not huge: what a
 * person wants to see again, not what the model gets. Begins with an input. Records that cannot be read are passed over.
 * Rejects when the file cannot be read.
 */
export async function replaySession(file: string, bytes = 256 << 10): Promise<readonly Replayed[]> {
  const { size } = await stat(file)
  for (let read = bytes; ; read *= 4) {
    const records = await lastRecords(file, read)
    const start = records.findIndex(({ type }) => type === 'input')
    if (start >= 0) return records.slice(start).flatMap(replayOf(records))
    if (read >= Math.min(size, longestTurn)) return []
  }
}

/** A last turn that is longer than this is not drawn again. In bytes of its log. */
const longestTurn = 8 << 20

async function lastRecords(file: string, bytes: number): Promise<LogRecord[]> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const from = Math.max(0, size - bytes)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from)
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
    // The first line may be cut, the last may be torn.
    return lines.slice(from > 0 ? 1 : 0, -1).flatMap((line) => {
      try {
        const parsed = logRecord.safeParse(JSON.parse(line))
        return parsed.success ? [parsed.data] : []
      } catch {
        return [] // damaged: resuming will tell
      }
    })
  } finally {
    await handle.close()
  }
}

function replayOf(records: readonly LogRecord[]): (record: LogRecord) => Replayed[] {
  const results = new Map<string, { name: string; ok: boolean; text: string }>()
  for (const record of records)
    if (record.type === 'message' && record.message.role === 'tool') results.set(record.message.callId, record.message)
  return (record) => {
    switch (record.type) {
      case 'input':
      case 'steer':
        return [{ type: 'input', text: record.text }]
      case 'message':
        return record.message.role === 'assistant' ? replyEvents(record.message) : []
      case 'tool-result': {
        const { callId, seconds } = record
        const result = results.get(callId)
        if (result === undefined) return []
        // Written by ourselves from these very types.
        const details = record.details as unknown as ToolDetails
        const { name, ok, text } = result
        return [{ type: 'tool-result', callId, name, seconds, result: { ok, content: text, details } }]
      }
      case 'failure':
        return [{ type: 'notice', level: 'error', text: record.message }]
      case 'result': {
        const { seconds = 0, steps = 0, changes = [], checks = [], usage } = record.summary as Partial<ResultEvent>
        if (!(record.exit in exitCode) || usage === undefined) return []
        const exit = record.exit as ExitReason
        return [
          {
            type: 'result',
            exit,
            exitCode: exitCode[exit],
            text: record.text,
            changes,
            checks,
            steps,
            seconds,
            usage,
          },
        ]
      }
      case 'rewind':
      case 'rebuild':
        return [{ type: 'notice', level: 'info', text: 'This attempt was dropped.' }]
      case 'header':
      case 'files':
      case 'approval':
        return []
      case 'usage':
        // Written by ourselves from this very type.
        return [{ type: 'usage', usage: record.usage as unknown as Usage }]
    }
  }
}

function replyEvents(
  message: Extract<LogRecord & { type: 'message' }, unknown>['message'] & { role: 'assistant' },
): AgentEvent[] {
  const { reasoning, text, calls } = message
  return [
    ...(reasoning === '' ? [] : [{ type: 'reasoning' as const, text: reasoning }]),
    ...(text === '' ? [] : [{ type: 'text' as const, text }]),
    ...calls.map((call): AgentEvent => ({ type: 'call', call, effects: effectsOf(call.name, call.arguments) })),
  ]
}

function effectsOf(name: string, given: unknown): Effect[] {
  const parsed = parseCall(allTools, name, given)
  return parsed.ok ? parsed.tool.effects(parsed.input) : []
}
