/**
 * Reads a line for bash as far as it says before it runs which programs it starts. For rules only, never a guard: what a
 * program does once it runs, and what a grammar misreads, is the sandbox's to hold.
 */
import type { Node } from 'web-tree-sitter'
import type { ShellCommand } from './command.ts'
import { inlineScripts, withUnseen } from './scripts.ts'
import { wordOf } from './word.ts'

export interface ShellLine {
  readonly commands: readonly ShellCommand[]
  /** Why not every program that it starts can be told; undefined when all can. */
  readonly unread: string | undefined
  /** It sets variables, defines functions or writes to files: more than starting the programs. */
  readonly does: readonly ('assign' | 'define' | 'write')[]
}

/** Longer lines are not read. In characters. */
const longest = 20_000
/** A line that is made to be hard to parse is not read. */
const maxMilliseconds = 300
/** A line in a line in a line (`bash -c`); deeper is not read. */
const deepest = 4

/** Never rejects: what cannot be read is `unread`. */
export async function readShellLine(line: string): Promise<ShellLine> {
  if (line.length > longest) return nothing('it is too long')
  try {
    const { parserFor } = await import('../code/grammars.ts')
    const { languages } = await import('../code/languages.ts')
    const bash = languages.find(({ name }) => name === 'bash')
    if (bash === undefined) return nothing('the grammar of bash is not there')
    const parser = await parserFor(bash)
    try {
      return read(line, 0, (text) => {
        const until = performance.now() + maxMilliseconds
        // The library stops when the callback says true; its type gives nothing back.
        const progressCallback = (): boolean => performance.now() > until
        const tree = parser.parse(text, undefined, { progressCallback })
        return tree === null ? undefined : { root: tree.rootNode, free: () => tree.delete() }
      })
    } finally {
      parser.delete()
    }
  } catch (error) {
    return nothing(error instanceof Error ? error.message : String(error))
  }
}

const nothing = (unread: string): ShellLine => ({ commands: [], unread, does: [] })

type Parse = (text: string) => { readonly root: Node; readonly free: () => void } | undefined

function read(line: string, depth: number, parse: Parse): ShellLine {
  if (depth > deepest) return nothing('lines are nested too deep in it')
  const tree = parse(line)
  if (tree === undefined) return nothing('it cannot be parsed')
  try {
    if (tree.root.hasError) return nothing('it cannot be parsed')
    const found = collect(tree.root)
    const inner = found.commands
      .flatMap((command) => inlineScripts(command))
      .map((script) =>
        script === null ? nothing('it runs a script that is known only when it runs') : read(script, depth + 1, parse),
      )
    return {
      commands: [...found.commands, ...inner.flatMap(({ commands }) => commands)],
      unread: found.unread ?? inner.find(({ unread }) => unread !== undefined)?.unread,
      does: [...new Set([...found.does, ...inner.flatMap(({ does }) => does)])],
    }
  } finally {
    tree.free()
  }
}

/** Every command below the node. */
function collect(root: Node): {
  commands: ShellCommand[]
  unread: string | undefined
  does: Set<ShellLine['does'][number]>
} {
  const commands: ShellCommand[] = []
  const does = new Set<ShellLine['does'][number]>()
  let unread: string | undefined
  const pending: Node[] = [root]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    switch (node.type) {
      case 'command': {
        const words = commandWords(node)
        commands.push({ words: withUnseen(words) })
        // Arithmetic stands as a command of this grammar.
        const arithmetic = node.childForFieldName('name')?.firstNamedChild?.type === 'arithmetic_expansion'
        if (words[0] === null && !arithmetic) unread ??= 'which program it starts is known only when it runs'
        break
      }
      case 'declaration_command':
      case 'unset_command':
        commands.push({ words: [node.child(0)?.text ?? null, null] })
        break
      case 'variable_assignment':
        does.add('assign')
        break
      case 'function_definition':
        does.add('define')
        break
      case 'file_redirect':
        if (writesFile(node)) does.add('write')
        break
    }
    pending.push(...node.namedChildren.filter((child) => child !== null).reverse())
  }
  return { commands, unread, does }
}

function commandWords(node: Node): (string | null)[] {
  const name = node.childForFieldName('name')
  const words = node.childrenForFieldName('argument').map((argument) => (argument === null ? null : wordOf(argument)))
  const first = name?.firstNamedChild
  return [first === null || first === undefined ? null : wordOf(first), ...words]
}

/** `>&2`, `2>&1`, `>/dev/null` and reading write no file. */
function writesFile(redirect: Node): boolean {
  const operator = redirect.children.find((child) => child !== null && !child.isNamed)?.text ?? ''
  if (operator.startsWith('<') && operator !== '<>') return false
  const target = redirect.childForFieldName('destination')
  if (target === null || target.type === 'number') return false
  return wordOf(target) !== '/dev/null'
}
