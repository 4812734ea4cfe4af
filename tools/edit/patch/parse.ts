/** Reads a patch in any of the formats that models know. */
import { parseBeginPatch } from './begin-patch.ts'
import { hasBlocks, parseBlocks } from './blocks.ts'
import { type FileOperation, PatchError } from './types.ts'
import { parseUnified } from './unified.ts'

/**
 * `*** Begin Patch`, SEARCH/REPLACE blocks or a unified diff. `path` serves blocks that name no file. Throws
 * PatchError.
 */
export function parsePatch(text: string, path?: string): FileOperation[] {
  if (/^\s*\*\*\* (?:Begin Patch|(?:Add|Update|Delete) File: )/m.test(text)) return parseBeginPatch(text)
  if (hasBlocks(text)) return parseBlocks(text, path)
  if (/^--- .*\r?\n\+\+\+ /m.test(text)) return parseUnified(text)
  throw new PatchError(
    'The patch is in no format that is known here. Write *** Begin Patch, *** Update File: PATH, @@, lines with space, - or +, *** End Patch.',
  )
}
