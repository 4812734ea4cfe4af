/** `@file` among the words of a task: the file is what the words speak of. */
import { readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { UsageError } from '../usage-error.ts'
import { fenced } from './fence.ts'

/** A longer file is read by the model itself, piece by piece. In bytes. */
const maxBytes = 256 * 1024

/**
 * Words with every `@path` resolved: a file of the work tree is named (what a task names is shown to the model), one from
 * elsewhere is put in, fenced, behind the words. A path counts from where the program was called. `seen`: the folder that
 * the model will see as the work tree, where that is another one; a file that differs there is put in too. Throws
 * UsageError for a file that is not there.
 */
export function resolveMentions(
  words: readonly string[],
  tree: string,
  { cwd = process.cwd(), seen = tree }: { readonly cwd?: string; readonly seen?: string } = {},
): string[] {
  const outside: string[] = []
  const named = words.map((word) => {
    if (!/^@[^\s@]+$/.test(word)) return word
    const file = resolve(cwd, word.slice(1))
    const status = statSync(file, { throwIfNoEntry: false })
    if (status === undefined) {
      throw new UsageError(`${word}: there is no file ${file}. For a word that begins with @, quote the whole task`)
    }
    const path = relative(tree, file)
    const inside = path !== '' && !path.startsWith('..')
    if (inside && (seen === tree || status.isDirectory() || sameFile(file, join(seen, path)))) return path
    if (!status.isFile() || status.size > maxBytes) {
      throw new UsageError(
        `${word}: outside of what the model sees, only files of at most ${maxBytes / 1024} KiB can be given`,
      )
    }
    outside.push(`${word.slice(1)}:\n${fenced(readFileSync(file, 'utf8'))}`)
    return word.slice(1)
  })
  return outside.length === 0 ? named : [...named, `\n\n${outside.join('\n\n')}`]
}

function sameFile(one: string, other: string): boolean {
  const size = statSync(other, { throwIfNoEntry: false })?.size
  return size !== undefined && size === statSync(one).size && readFileSync(one).equals(readFileSync(other))
}
