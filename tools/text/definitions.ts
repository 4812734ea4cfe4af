/** Finds what a source file defines and explains, by its lines alone: good enough to notice what is gone, in most languages. */

export interface Definition {
  readonly name: string
  /** From 1. */
  readonly line: number
  /** Columns of indentation; a tab counts as four. */
  readonly indent: number
}

/** A comment of two lines or more, or a text that stands where only documentation does. */
export interface DocBlock {
  /** First and last line, from 1. */
  readonly line: number
  readonly last: number
  /** Without comment marks and outer space; no empty lines. */
  readonly lines: readonly string[]
}

const modifiers =
  '(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|override|virtual|sealed|partial|unsafe|inline|extern|declare|pub(?:\\([^)]*\\))?|const|suspend|open|data|local)\\s+)*'

const patterns: readonly RegExp[] = [
  // def f · class A · fn f · func (r T) f · fun f · function* f · struct, interface, trait, module, type …
  new RegExp(
    `^\\s*${modifiers}(?:def|class|fn|fun|func|function\\*?|struct|interface|trait|enum|module|namespace|object|protocol|record|union|type)\\s+(?:\\([^)]*\\)\\s*)?(?:self\\.)?([\\p{L}_$][\\p{L}\\p{N}_$]*)`,
    'u',
  ),
  // const f = (…) => · let f = function · f = lambda
  /^\s*(?:export\s+)?(?:const|let|var)?\s*([\p{L}_$][\p{L}\p{N}_$]*)\s*(?::[^=]+)?=\s*(?:async\s+)?(?:function\b|lambda\b|\([^()]*\)\s*(?::[^=]+)?=>|[\p{L}_$][\p{L}\p{N}_$]*\s*=>)/u,
  // export const a = … : what others can ask for by its name
  /^export\s+(?:const|let|var)\s+([\p{L}_$][\p{L}\p{N}_$]*)/u,
  // int f(char *x) { · void A::f() const { · public List<T> f() throws E {
  /^\s*(?:[\p{L}_][\p{L}\p{N}_<>,[\]:.?]*[\s*&]+)+(?:[\p{L}_][\p{L}\p{N}_]*::)?~?([\p{L}_][\p{L}\p{N}_]*)\s*\([^;=]*$/u,
  // f() { of shells, and methods of JavaScript classes
  /^\s*(?:async\s+|static\s+|get\s+|set\s+|\*\s*|#)*([\p{L}_$][\p{L}\p{N}_$-]*)\s*\([^;=]*\)\s*(?::[^={]+)?\{\s*$/u,
]

/** Words that stand before a bracket without naming anything. */
const notNames = new Set(
  'if else elif for foreach while until switch case match catch except return throw raise new await yield do try with using lock synchronized sizeof typeof delete in of and or not print echo assert'.split(
    ' ',
  ),
)

/** Lines longer than this are data, not definitions. */
const maxLineChars = 500

/** What is said in a comment or docstring defines nothing. */
export function definitionsOf(text: string): Definition[] {
  const said = new Set(docBlocksOf(text).flatMap(({ line, last }) => range(line, last)))
  return text.split('\n').flatMap((line, i) => {
    const name = said.has(i + 1) || line.length > maxLineChars ? undefined : definedName(line)
    return name === undefined ? [] : [{ name, line: i + 1, indent: indentOf(line) }]
  })
}

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

function definedName(line: string): string | undefined {
  const first = /^\s*([\p{L}_$]+)/u.exec(line)?.[1]
  if (first !== undefined && notNames.has(first)) return undefined
  for (const pattern of patterns) {
    const name = pattern.exec(line)?.[1]
    if (name !== undefined && !notNames.has(name)) return name
  }
  return undefined
}

export const indentOf = (line: string): number => /^\s*/.exec(line)![0].replaceAll('\t', '    ').length

const openers: readonly { readonly open: RegExp; readonly close: string }[] = [
  { open: /^\s*[rRbBuUfF]{0,2}"""/, close: '"""' },
  { open: /^\s*[rRbBuUfF]{0,2}'''/, close: "'''" },
  { open: /^\s*\/\*/, close: '*/' },
  { open: /^\s*<!--/, close: '-->' },
]

const lineComment = /^\s*(?:\/\/|#(?!!|\s*(?:include|define|if|else|endif|pragma|region|endregion)\b)|--|;;)/

export function docBlocksOf(text: string): DocBlock[] {
  const lines = text.split('\n')
  // A block that is never closed is none: known at once, or a file full of openings would be searched over and over.
  const lastClose = new Map(openers.map(({ close }) => [close, lines.findLastIndex((line) => line.includes(close))]))
  const blocks: DocBlock[] = []
  for (let at = 0; at < lines.length; ) {
    const opener = openers.find(({ open }) => open.test(lines[at]!))
    const end = opener ? closedAt(lines, at, opener, lastClose.get(opener.close)!) : commentsEnd(lines, at)
    const said = lines
      .slice(at, end)
      .map(plainWords)
      .filter((line) => line !== '')
    // A single line of comment is too small a thing to make a noise about; a docstring of one line is not.
    if ((opener || end - at > 1) && said.length > 0) blocks.push({ line: at + 1, last: end, lines: said })
    at = Math.max(end, at + 1)
  }
  return blocks
}

/** Index after the line that closes the block begun at `at`; `at` itself when none does. */
function closedAt(
  lines: readonly string[],
  at: number,
  { open, close }: (typeof openers)[number],
  last: number,
): number {
  if (lines[at]!.replace(open, '').includes(close)) return at + 1
  if (last <= at) return at
  let end = at + 1
  while (!lines[end]!.includes(close)) end += 1
  return end + 1
}

function commentsEnd(lines: readonly string[], at: number): number {
  let end = at
  while (end < lines.length && lineComment.test(lines[end]!)) end += 1
  return end
}

const plainWords = (line: string): string =>
  line
    .replace(/^\s*(?:[rRbBuUfF]{0,2}(?:"""|''')|\/\*+|\*+\/|\*|\/\/+!?|#+|--|;;+|<!--)?/, '')
    .replace(/(?:"""|'''|\*\/|-->)\s*$/, '')
    .trim()
