/** `@file` among the words of a task: the file is what the words speak of. */
import { readFileSync, statSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { UsageError } from '../usage-error.ts'

/** A longer file is read by the model itself, piece by piece. In bytes. */
const maxBytes = 256 * 1024

/**
 * Words with every `@path` resolved: a file of the work tree is named (what a task names is shown to the model), one from
 * elsewhere is put in, fenced, behind the words. A path counts from where the program was called. Throws UsageError for a
 * file that is not there.
 */
export function resolveMentions(words: readonly string[], tree: string, cwd: string = process.cwd()): string[] {
  const outside: string[] = []
  const named = words.map((word) => {
    if (!/^@[^\s@]+$/.test(word)) return word
    const file = resolve(cwd, word.slice(1))
    const status = statSync(file, { throwIfNoEntry: false })
    if (status === undefined) {
      throw new UsageError(`${word}: there is no file ${file}. For a word that begins with @, quote the whole task`)
    }
    const path = relative(tree, file)
    if (path !== '' && !path.startsWith('..')) return path
    if (!status.isFile() || status.size > maxBytes) {
      throw new UsageError(
        `${word}: outside of the work tree only files of at most ${maxBytes / 1024} KiB can be given`,
      )
    }
    outside.push(`${word.slice(1)}:\n${fenced(readFileSync(file, 'utf8'))}`)
    return word.slice(1)
  })
  return outside.length === 0 ? named : [...named, `\n\n${outside.join('\n\n')}`]
}

function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text.replace(/\n$/, '')}\n${fence}`
}
