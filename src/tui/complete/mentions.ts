/** What a message points at with `@`: pictures go with it; the agent shows files and lines, and what it cannot show is told here. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, relative, resolve } from 'node:path'
import { isSecret, mentions } from '../../../agent/index.ts'
import { isPicture } from '../editor/pictures.ts'

/** Whether a message carries pictures: they need a message of their own. */
export const hasPictures = (text: string): boolean => mentions(text).some(({ path }) => isPicture(path))

const mostBytes = 4 << 20

/**
 * The pictures of a message, as absolute paths, for the agent to show them; and in words which of the lines that it names
 * cannot be shown: of a file outside of the root, a binary one, or one that has no such lines.
 */
export async function pointers(
  text: string,
  root: string,
): Promise<{ readonly problems: string[]; readonly pictures: string[] }> {
  const problems: string[] = []
  const pictures: string[] = []
  for (const { path, from, to } of mentions(text)) {
    if (isPicture(path)) pictures.push(resolve(root, path.replace(/^~(?=\/)/, homedir())))
    else if (isSecret(path)) problems.push(`@${path}: files of secrets are not shown to the model`)
    if (from === undefined || to === undefined || isSecret(path)) continue
    const lines = await countLines(path, root)
    if (typeof lines === 'string') problems.push(`@${path}: ${lines}`)
    else if (from < 1 || to < from || from > lines) problems.push(`@${path}:${from}-${to}: the file has ${lines} lines`)
  }
  return { problems, pictures }
}

/** The number of the file's lines, or in words why they cannot be shown. */
async function countLines(path: string, root: string): Promise<number | string> {
  try {
    const whole = await realpath(resolve(root, path))
    const inside = relative(await realpath(root), whole)
    if (inside.startsWith('..') || isAbsolute(inside)) return 'outside of this folder'
    const found = await stat(whole)
    if (!found.isFile()) return 'not a file'
    if (found.size > mostBytes) return 'too large to be shown'
    const bytes = await readFile(whole)
    if (bytes.subarray(0, 8000).includes(0)) return 'a binary file'
    return bytes.toString('utf8').replace(/\n$/, '').split('\n').length
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : String((error as Error).message)
  }
}
