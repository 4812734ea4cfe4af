/** Lines with the ending each one has, so that text can be compared without endings and put back with them. */

export type Eol = '\n' | '\r\n'

export interface Line {
  readonly text: string
  /** Empty only for a last line without a final newline. */
  readonly eol: Eol | ''
}

/** No line for empty text. A lone `\r` is an ordinary character. */
export function splitLines(text: string): Line[] {
  const lines: Line[] = []
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    if (newline < 0) {
      lines.push({ text: text.slice(at), eol: '' })
      break
    }
    const crlf = newline > at && text[newline - 1] === '\r'
    lines.push({ text: text.slice(at, crlf ? newline - 1 : newline), eol: crlf ? '\r\n' : '\n' })
    at = newline + 1
  }
  return lines
}

export const joinLines = (lines: readonly Line[]): string => lines.map((line) => line.text + line.eol).join('')

/** Text with every `\r\n` as `\n`: the form in which text is compared. */
export const toLf = (text: string): string => text.replaceAll('\r\n', '\n')

export const withEol = (text: string, eol: Eol): string =>
  eol === '\n' ? toLf(text) : toLf(text).replaceAll('\n', eol)

/** The ending that most lines have; `\n` for text without any. */
export function mainEol(text: string): Eol {
  let crlf = 0
  let lf = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (at > 0 && text[at - 1] === '\r') crlf += 1
    else lf += 1
  }
  return crlf > lf ? '\r\n' : '\n'
}

/** Lines of a text for people: a final newline ends the last line and does not begin another. */
export function countLines(text: string): number {
  let lines = text === '' || text.endsWith('\n') ? 0 : 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}
