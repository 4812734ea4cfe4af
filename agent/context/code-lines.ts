/** Which lines of a file say what it does. */

/** Numbers (from 1) of lines that are neither blank nor, as far as the eye can see, comments or docstrings. */
export function codeLines(path: string, text: string): ReadonlySet<number> {
  const marks = /\.(?:pyi?|rb|sh|bash|ya?ml|toml|r|pl|ex|exs|jl)$/i.test(path) ? hash : slashes
  const lines = new Set<number>()
  let closes: string | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim()
    if (closes !== undefined) {
      if (words.includes(closes)) closes = undefined
      continue
    }
    const opens = marks.blocks.find(([open]) => words.startsWith(open))
    if (opens !== undefined) {
      const [open, close] = opens
      if (!words.slice(open.length).includes(close)) closes = close
      continue
    }
    if (words !== '' && !words.startsWith(marks.line)) lines.add(index + 1)
  }
  return lines
}

const hash = {
  line: '#',
  blocks: ['"""', "'''", 'r"""', "r'''"].map((open) => [open, open.slice(-3)] as const),
}
const slashes = { line: '//', blocks: [['/*', '*/']] as const }

/** Whether files with such a path commonly hold tests. */
export const isTestPath = (path: string): boolean =>
  /(?:^|\/)(?:tests?|__tests__|specs?)\/|(?:^|\/)(?:test_|(?:tests?|conftest)\.)|[._-](?:test|spec)s?\.[^/.]+$/i.test(
    path,
  )
