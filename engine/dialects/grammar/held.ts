/** Which arguments are held to what is on disk. */
import type { Field } from '../../engine.ts'
import type { ToolSpec } from '../../messages.ts'
import { isEdit } from './arguments.ts'

/** How a dialect writes an argument of a tool, for a look at the text before it; sources of regular expressions. */
export interface Around {
  /** Up to the value of `path`, wherever it stands among the arguments. */
  readonly path: (tool: string) => string
  /** Up to the value of `path` as the first argument, and of `old` after that one; absent where the order is another. */
  readonly edit?: { readonly path: string; readonly old: string }
  readonly closes: string
  readonly written: Field['written']
}

/**
 * `read` reads files that exist. `edit` changes them: where there is `write` for new files, it names an existing one, and its
 * old side is a part of that.
 */
export function heldFields(tools: readonly ToolSpec[], around: Around): readonly Field[] {
  const { closes, written, edit } = around
  const creates = tools.some(({ name }) => name === 'write')
  const fields: Field[] = []
  for (const tool of tools) {
    if (tool.name === 'read') fields.push({ opens: around.path('read'), closes, written, holds: 'file' })
    if (!isEdit(tool)) continue
    const holds = creates ? 'file' : 'path'
    fields.push({ opens: edit?.path ?? around.path('edit'), closes, written, holds })
    if (edit !== undefined) fields.push({ opens: edit.old, closes, written, holds: 'text' })
  }
  return fields
}

/** A text that means itself in a regular expression. */
export const plainly = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&').replaceAll('\n', '\\n')
