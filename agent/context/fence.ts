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
export const fencedFile = (path: string, text: string): string => `${path}\n${fenceOf(path, text)}`

/** A text of the file in a fence. */
export function fenceOf(path: string, text: string): string {
  const fence = fenceFor(text)
  const end = text === '' || text.endsWith('\n') ? '' : '\n'
  return `${fence}${languageOf(path)}\n${text}${end}${fence}`
}

/** The text with other words in the place of each file that `fencedFile` wrote into it. `whole`: path, fence and text. */
export function replaceFencedFiles(text: string, replace: (path: string, whole: string) => string): string {
  const lines = text.split('\n')
  const kept: string[] = []
  for (let at = 0; at < lines.length; at += 1) {
    const path = lines[at] ?? ''
    const fence = /^(`{3,})\S*$/.exec(lines[at + 1] ?? '')?.[1]
    const end = fence === undefined || path === '' || /\s/.test(path) ? -1 : lines.indexOf(fence, at + 2)
    if (end === -1) {
      kept.push(path)
      continue
    }
    kept.push(replace(path, lines.slice(at, end + 1).join('\n')))
    at = end
  }
  return kept.join('\n')
}

/** The files of a text that `fencedFile` wrote, and nothing else of it. A final newline may be one that was added. */
export function readFencedFiles(text: string): { readonly path: string; readonly text: string }[] {
  const lines = text.split('\n')
  const files: { path: string; text: string }[] = []
  for (let at = 0; at + 1 < lines.length; at += 1) {
    const fence = /^(`{3,})\S*$/.exec(lines[at + 1] ?? '')?.[1]
    const end = fence === undefined ? -1 : lines.indexOf(fence, at + 2)
    if (lines[at] === '' || end === -1) continue
    files.push({
      path: lines[at] ?? '',
      text: lines
        .slice(at + 2, end)
        .map((line) => `${line}\n`)
        .join(''),
    })
    at = end
  }
  return files
}
