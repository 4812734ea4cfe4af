/** What a session did, told from its log: for whoever has to answer for it. */
import { stat } from 'node:fs/promises'
import type { Effect, ToolDetails } from '../../tools/index.ts'
import type { LogRecord } from './format.ts'
import { loadLog } from './load.ts'

/** One thing that was asked, decided or done. `time` is ISO 8601, UTC, where it was noted. */
export type AuditEntry =
  | { readonly kind: 'input'; readonly time: string; readonly text: string }
  /** Files that the model was given whole with a task. */
  | { readonly kind: 'shown'; readonly paths: readonly string[] }
  | { readonly kind: 'read'; readonly time?: string; readonly path: string }
  | { readonly kind: 'changed'; readonly time?: string; readonly paths: readonly string[] }
  | {
      readonly kind: 'command'
      readonly time?: string
      readonly command: string
      readonly outcome: string
      readonly exitCode: number
      readonly seconds: number
      /** What it left that programs outside would obey. */
      readonly findings: readonly string[]
    }
  | { readonly kind: 'connection'; readonly host: string; readonly port: number; readonly allowed: boolean }
  | {
      readonly kind: 'approval'
      readonly time: string
      readonly allowed: boolean
      readonly by: 'person' | 'nobody' | 'rule'
      readonly reason: string
      readonly effects: readonly Effect[]
    }
  /** A tool of another program, outside of the sandbox. */
  | { readonly kind: 'called'; readonly time?: string; readonly server: string; readonly tool: string }
  | { readonly kind: 'failed'; readonly time?: string; readonly tool: string; readonly why: string }
  | { readonly kind: 'result'; readonly time: string; readonly exit: string; readonly changed: readonly string[] }

export interface Audit {
  readonly id: string
  readonly file: string
  /** Absolute path of the work tree. */
  readonly cwd: string
  readonly time: string
  readonly model: string
  /** `whole`: every line follows from the one before it. `none`: written before there was a chain. */
  readonly chain: 'whole' | 'broken' | 'none'
  /** Where and why it is broken. What comes after is not in `entries`. */
  readonly broken?: string
  /** Bytes after the last whole line: a crash tore it. */
  readonly tornBytes: number
  readonly records: number
  /** Digest of the last line: whoever noted it knows later whether the log is still the same. */
  readonly tip: string
  readonly entries: readonly AuditEntry[]
}

/** Reads the log and verifies its chain. Rejects with LogError. */
export async function auditSession(file: string): Promise<Audit> {
  const { header, records, broken, wholeBytes, tip } = await loadLog(file)
  const tools = new Map<string, string>()
  const entries = records.flatMap((record) => entriesOf(record, tools))
  const { size } = await stat(file)
  const chain = broken !== undefined ? 'broken' : header.format === 1 ? 'none' : 'whole'
  return {
    ...{ id: header.id, file, cwd: header.cwd, time: header.time, model: header.model.name, chain },
    ...(broken !== undefined && { broken }),
    ...{ tornBytes: broken === undefined ? size - wholeBytes : 0, records: records.length, tip, entries },
  }
}

function entriesOf(record: LogRecord, tools: Map<string, string>): AuditEntry[] {
  switch (record.type) {
    case 'input':
    case 'steer':
      return [{ kind: 'input', time: record.time, text: record.text }]
    case 'files':
      return [{ kind: 'shown', paths: record.files.map(({ path }) => path) }]
    case 'message':
      if (record.message.role === 'assistant') for (const { id, name } of record.message.calls) tools.set(id, name)
      return []
    case 'tool-result': {
      const time = record.time === undefined ? {} : { time: record.time }
      // Written by ourselves from these very types.
      const details = record.details as unknown as ToolDetails
      return resultEntries(details, time, tools.get(record.callId) ?? 'unknown')
    }
    case 'approval': {
      const { time, allowed, by, reason } = record
      return [{ kind: 'approval', time, allowed, by, reason, effects: record.effects as unknown as Effect[] }]
    }
    case 'result': {
      const { changes = [] } = record.summary as { readonly changes?: readonly { readonly path: string }[] }
      return [{ kind: 'result', time: record.time, exit: record.exit, changed: changes.map(({ path }) => path) }]
    }
    case 'header':
    case 'rewind':
    case 'rebuild':
    case 'usage':
    case 'failure':
      return []
  }
}

function resultEntries(details: ToolDetails, time: { readonly time?: string }, tool: string): AuditEntry[] {
  switch (details.kind) {
    case 'command': {
      const { command, outcome, exitCode, seconds, findings = [], connections = [] } = details
      const found = findings.map(({ message }) => message)
      return [
        { kind: 'command', ...time, command, outcome, exitCode, seconds, findings: found },
        ...connections.map((connection): AuditEntry => ({ kind: 'connection', ...connection })),
      ]
    }
    case 'change':
      return [{ kind: 'changed', ...time, paths: [details.path] }]
    case 'changes':
      return [{ kind: 'changed', ...time, paths: details.files.map(({ path }) => path) }]
    case 'read':
    case 'list':
      return [{ kind: 'read', ...time, path: details.path }]
    case 'call':
      return [{ kind: 'called', ...time, server: details.server, tool: details.tool }]
    case 'failure':
      return [{ kind: 'failed', ...time, tool, why: details.reason }]
    default:
      // Searches and the like: the call itself is in the log.
      return []
  }
}
