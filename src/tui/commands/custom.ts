/** Commands that users write: a markdown file is a message, its name the command's name. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from './command.ts'

/** Reads the folders in order; a later one with the same name wins. A folder that is not there has no commands. */
export async function customCommands(folders: readonly string[]): Promise<Command[]> {
  const found = new Map<string, Command>()
  for (const folder of folders) {
    const names = (await readdir(folder).catch(() => [])).filter((name) => /^[\w-]+\.md$/.test(name))
    for (const file of names) {
      const text = await readFile(join(folder, file), 'utf8').catch(() => undefined)
      if (text !== undefined) found.set(file, customCommand(file.replace(/\.md$/, ''), text))
    }
  }
  return [...found.values()]
}

/** `description:` in the front matter is the help; `$ARGUMENTS` in the text is what follows the name. */
function customCommand(name: string, source: string): Command {
  const [, front = '', body = source] = /^---\r?\n([\s\S]*?)\r?\n---\r?\n?([\s\S]*)$/.exec(source) ?? []
  const described = /^description:\s*["']?(.*?)["']?\s*$/m.exec(front)?.[1]
  const help = described ?? (body.trim().split('\n')[0] ?? '').replace(/^#+\s*/, '').slice(0, 70)
  return {
    name,
    help,
    ...(body.includes('$ARGUMENTS') ? { takes: '[words]' } : {}),
    run(rest, { turns }) {
      const words = body.includes('$ARGUMENTS')
        ? body.replaceAll('$ARGUMENTS', () => rest)
        : `${body.trim()}\n\n${rest}`
      turns.submit(words.trim(), 'boundary')
    },
  }
}
