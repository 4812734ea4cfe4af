/** The tool `edit`: one exact text in one file, or a patch over many. */
import * as z from 'zod'
import { describeNearest } from './edit/nearest.ts'
import { parsePatch } from './edit/patch/parse.ts'
import { type FileOperation, PatchError } from './edit/patch/types.ts'
import { planPatch } from './edit/plan.ts'
import { type Replaced, replaceText } from './edit/replace.ts'
import { refuseStale } from './edit/stale.ts'
import { changeFiles, type PlannedFile, previewFiles } from './edit/transaction.ts'
import { findText, missing, type OpenFile } from './files.ts'
import { failure, settle, ToolProblem } from './result.ts'
import { plainUtf8 } from './text/encoding.ts'
import { countLines } from './text/lines.ts'
import type { Effect, TextChange, Tool, ToolContext, ToolResult } from './types.ts'

const shape = z.object({
  path: z.string().optional(),
  old: z.string().optional().describe('exact text of the file; empty to make a new file'),
  new: z.string().optional(),
  all: z.boolean().optional().describe('replace every match'),
  patch: z.string().optional().describe('*** Begin Patch … for many files'),
})

type EditInput = z.infer<typeof shape>

interface Replacement {
  readonly path: string
  readonly old: string
  readonly new: string
  readonly all?: boolean
}

/** Models fill unused arguments with empty text. */
function isPatch(value: EditInput): boolean {
  return value.patch !== undefined && !value.old && !value.new
}

function isReplacement(value: EditInput): value is EditInput & Replacement {
  return Boolean(value.path) && value.old !== undefined && value.new !== undefined && !value.patch
}

const input = shape.refine((value) => isReplacement(value) || isPatch(value), {
  message: 'edit needs path, old (exact text of the file) and new; or patch alone',
})

export const editTool: Tool<EditInput> = {
  name: 'edit',
  description: 'Replace text in a file. old must occur exactly once; copy it without line numbers.',
  input,
  effects: (call) => {
    if (isReplacement(call)) return [{ kind: 'write', path: call.path }]
    return patchEffects(call)
  },
  preview: (call, context) => previewFiles(async () => (await planCall(call, context)).files),
  run: (call, context) =>
    settle(context.signal, async () => {
      let note: string | undefined
      const changes = await changeFiles(context, async () => {
        const plan = await planCall(call, context)
        note = plan.note
        return plan.files
      })
      return changed(changes, note)
    }),
}

/** Paths that the patch names; none when it cannot be read, because then it is not run either. */
function patchEffects(call: EditInput): Effect[] {
  try {
    const paths = parsePatch(call.patch ?? '', call.path).flatMap((operation) =>
      operation.kind === 'update' && operation.moveTo ? [operation.path, operation.moveTo] : [operation.path],
    )
    return [...new Set(paths)].map((path) => ({ kind: 'write', path }))
  } catch (error) {
    if (error instanceof PatchError) return []
    throw error
  }
}

interface Plan {
  readonly files: readonly PlannedFile[]
  /** What the model should know of how it was done. */
  readonly note?: string
}

const planCall = (call: EditInput, context: ToolContext): Promise<Plan> =>
  isReplacement(call) ? planReplacement(context, call) : planGivenPatch(context, call)

async function planGivenPatch(context: ToolContext, call: EditInput): Promise<Plan> {
  const files = await planPatch(context.workspace, readPatch(call))
  for (const { before } of files) if (before) refuseStale(context, before)
  return { files }
}

function readPatch(call: EditInput): FileOperation[] {
  try {
    return parsePatch(call.patch ?? '', call.path)
  } catch (error) {
    if (error instanceof PatchError) throw new ToolProblem('bad-arguments', error.message)
    throw error
  }
}

async function planReplacement(context: ToolContext, call: Replacement): Promise<Plan> {
  if (call.old === call.new) throw new ToolProblem('no-change', 'old and new are identical: nothing to change.')
  const file = await findText(context.workspace, call.path)
  // The byte order mark is no part of the text, but models that saw the raw file copy it.
  const [old, next] = [call.old, call.new].map((text) => text.replace(/^\ufeff/, '')) as [string, string]
  if (old === '') return { files: [newFile(context, call.path, file, next)] }
  if (!file) throw await missing(context.workspace, call.path)
  refuseStale(context, file, old)
  const replaced = replaceText(file.text, old, next, call.all)
  if (!replaced.ok) throw missed(file, old, next, replaced)
  const files = [{ path: file.path, before: file, text: replaced.text, format: file.format }]
  return { files, note: noteOf(replaced.tier) }
}

function newFile({ workspace }: ToolContext, path: string, file: OpenFile | undefined, text: string): PlannedFile {
  if (file && file.text !== '') {
    throw new ToolProblem(
      'exists',
      `${file.path} exists already (${countLines(file.text)} lines): give in old the text to replace, or use write to replace the whole file.`,
    )
  }
  return { path: workspace.relative(path), before: file, text, format: file?.format ?? plainUtf8 }
}

function missed(file: OpenFile, old: string, next: string, replaced: Replaced & { ok: false }): ToolProblem {
  switch (replaced.reason) {
    case 'no-change':
      return new ToolProblem('no-change', `${file.path} has the new text there already: nothing was changed.`)
    case 'many-matches':
      return new ToolProblem(
        'many-matches',
        `old is ambiguous: it stands in ${file.path} at lines ${replaced.lines.join(', ')}. Add the lines around it so that one place matches, or set all: true.`,
      )
    case 'no-match': {
      const there = next.trim() !== '' && file.text.includes(next)
      const already = there ? ' The new text is in the file already: was this edit made before?' : ''
      return new ToolProblem(
        'no-match',
        `old was not found in ${file.path}; nothing was changed.${already} ${describeNearest(file.text, old)}`,
      )
    }
    default:
      return replaced.reason satisfies never
  }
}

function noteOf(tier: (Replaced & { ok: true })['tier']): string | undefined {
  switch (tier) {
    case 'exact':
      return undefined
    case 'trailing-space':
      return 'old matched but for space at line ends.'
    case 'unicode':
      return 'old matched but for typographic characters.'
    case 'indentation':
      return 'old matched but for indentation; new was indented like the file.'
    case 'shown-numbers':
      return 'Line numbers were taken off old and new.'
    default:
      return tier satisfies never
  }
}

/** Tells what changed: for one file which lines, for several a line each. */
function changed(changes: readonly TextChange[], note: string | undefined): ToolResult {
  const [only] = changes
  if (!only) return failure('no-change', 'Nothing was changed.')
  const content = [...changes.map(describe), ...(note ? [note] : [])].join('\n')
  const details =
    changes.length === 1 ? ({ kind: 'change', ...only } as const) : ({ kind: 'changes', files: changes } as const)
  return { ok: true, content, details }
}

function describe({ path, before, after }: TextChange): string {
  if (after === null) return `Deleted ${path}.`
  const lines = countLines(after)
  if (before === null) return `Made ${path} (${lines} lines).`
  return `Changed ${path} (${lines} lines${lines === countLines(before) ? '' : `, was ${countLines(before)}`}).`
}
