/** Text of files in code fences, as markdown (CommonMark §4.5) has them. */

/** A fence that no line of the text can close: longer than any run of backticks in it, three at least. */
export function fenceFor(text: string): string {
  const longest = (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0)
  return '`'.repeat(Math.max(3, longest + 1))
}

const languages: Readonly<Record<string, string>> = {
  py: 'python',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  ts: 'typescript',
  rs: 'rust',
  rb: 'ruby',
  sh: 'bash',
  md: 'markdown',
  yml: 'yaml',
  kt: 'kotlin',
  cs: 'csharp',
}

/** The word after the fence: the language of a path by its ending; none where the ending is no plain word. */
function languageOf(path: string): string {
  const ending = /\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  return languages[ending] ?? ending
}

/** A file as models read it best (measured on the small one): its path on a line, then its text in a fence. */
export function fencedFile(path: string, text: string): string {
  const fence = fenceFor(text)
  const end = text === '' || text.endsWith('\n') ? '' : '\n'
  return `${path}\n${fence}${languageOf(path)}\n${text}${end}${fence}`
}
