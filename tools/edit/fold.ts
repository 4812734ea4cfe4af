/** Spellings of one character that models mix up: typographic quotes, dashes, spaces, full-width forms. */

const plain: Readonly<Record<string, string>> = {
  '\u2018': "'",
  '\u2019': "'",
  '\u201a': "'",
  '\u201b': "'",
  '\u2032': "'",
  '\u201c': '"',
  '\u201d': '"',
  '\u201e': '"',
  '\u201f': '"',
  '\u2033': '"',
  '\u2010': '-',
  '\u2011': '-',
  '\u2012': '-',
  '\u2013': '-',
  '\u2014': '-',
  '\u2015': '-',
  '\u2212': '-',
  '\u00a0': ' ',
  '\u202f': ' ',
  '\u205f': ' ',
  '\u3000': ' ',
  '\u3001': ',',
  '\u3002': '.',
}

const folded =
  /[\u00a0\u2000-\u200a\u2010-\u2015\u2018-\u201f\u202f\u2032\u2033\u205f\u2212\u3000-\u3002\uff01-\uff5e]/g

/** One UTF-16 unit for each one of `text`, so that offsets in the result are offsets in the text. */
export function foldUnicode(text: string): string {
  return text.replace(folded, (c) => {
    const code = c.charCodeAt(0)
    if (code >= 0xff01) return String.fromCharCode(code - 0xfee0)
    if (code >= 0x2000 && code <= 0x200a) return ' '
    return plain[c] ?? c
  })
}

/** For comparing whole lines: also compatibility forms and decomposed accents, and no trailing space. */
export const foldLine = (line: string): string => foldUnicode(line.normalize('NFKC')).trimEnd()
