/** A call of the model in an editor's words: title, kind, places, differences. */
import { isAbsolute, join } from 'node:path'
import type { ToolCallContent, ToolCallLocation, ToolKind } from '@agentclientprotocol/sdk'
import type { ToolCall } from '../../engine/index.ts'
import type { Effect, TextChange } from '../../tools/index.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'

const longestTitle = 120

export function callTitle(call: ToolCall, effects: readonly Effect[]): string {
  const run = effects.find((effect) => effect.kind === 'run')
  const write = effects.find((effect) => effect.kind === 'write')
  const read = effects.find((effect) => effect.kind === 'read')
  const title = run !== undefined ? run.command : `${call.name} ${write?.path ?? read?.path ?? ''}`.trimEnd()
  const safe = sanitizeLine(title)
  return safe.length > longestTitle ? `${safe.slice(0, longestTitle)}…` : safe
}

export function callKind(effects: readonly Effect[]): ToolKind {
  if (effects.some(({ kind }) => kind === 'run')) return 'execute'
  if (effects.some(({ kind }) => kind === 'write')) return 'edit'
  return effects.some(({ kind }) => kind === 'read') ? 'read' : 'other'
}

/** Editors want absolute paths. */
export function callLocations(effects: readonly Effect[], cwd: string): ToolCallLocation[] {
  const paths = effects.flatMap((effect) => (effect.kind === 'read' || effect.kind === 'write' ? [effect.path] : []))
  return [...new Set(paths)].map((path) => ({ path: absolute(path, cwd) }))
}

export function callDiffs(changes: readonly TextChange[], cwd: string): ToolCallContent[] {
  return changes.map(({ path, before, after }) => ({
    type: 'diff',
    path: absolute(path, cwd),
    oldText: before,
    newText: after ?? '',
  }))
}

const absolute = (path: string, cwd: string): string => (isAbsolute(path) ? path : join(cwd, path))
