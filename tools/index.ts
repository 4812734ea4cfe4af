/** The face of the tools room: what the model may do. Other rooms import only this file. */
import { editTool } from './edit.ts'
import { exploreTool } from './explore.ts'
import { gitTool } from './git.ts'
import { listTool } from './list.ts'
import { outlineTool } from './outline.ts'
import { readTool } from './read.ts'
import { recallTool } from './recall.ts'
import { searchTool } from './search.ts'
import { shellTool } from './shell.ts'
import { symbolsTool } from './symbols.ts'
import type { Tool } from './types.ts'
import { writeTool } from './write.ts'

export { type CodeSense, languageOf, openCode, renderOutline } from './code/open.ts'
export type { SyntaxProblem } from './code/problems.ts'
export { inTurn, inUndoTurn } from './edit/lock.ts'
export { diffsByPath } from './edit/patch/unified.ts'
export { type RecoveredEdit, recoverEdits } from './edit/recover.ts'
export { journalled, onTrial } from './edit/trial.ts'
export { type ParsedCall, parseCall } from './parse.ts'
export { failure, fingerprint } from './result.ts'
export { type ToolSchema, toolSchema } from './schema.ts'
export { isExactly, mayBe, prefixWords } from './shell-line/match.ts'
export { readShellLine, type ShellLine } from './shell-line/read.ts'
export { linesOfDefinitions } from './text/blocks.ts'
export { definitionsOf } from './text/definitions.ts'
export { unifiedDiff } from './text/diff.ts'
export { keepHollow } from './text/hollow.ts'
export { describeLoss, type Loss, whatIsLost } from './text/loss.ts'
export { mergeDefinitions } from './text/merge-definitions.ts'
export { restoreDocs } from './text/restore-docs.ts'
export { withoutBodies } from './text/without-bodies.ts'
export type * from './types.ts'

/**
 * Every tool, in the order in which the model is told of them. Their inputs differ; what `parseCall` returns as `input`
 * has been parsed by the very tool that it returns.
 */
export const allTools: readonly Tool[] = [
  readTool,
  editTool,
  writeTool,
  listTool,
  searchTool,
  outlineTool,
  symbolsTool,
  exploreTool,
  shellTool,
  gitTool,
  recallTool,
].map((tool) => tool as Tool)
