/** The inside of a JSON string, as far as it has been said. Bytes of UTF-8 are characters here (latin1). */

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** What one more byte may make of a lone backslash. */
export const escapable: readonly string[] = Object.values(escapes)

/** `text`: what is whole of it; `pending`: an escape that is not. Undefined: no JSON string goes on like that. */
export function decodeJson(raw: string): { readonly text: string; readonly pending: string } | undefined {
  let text = ''
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] ?? ''
    if (byte !== '\\') {
      text += byte
      continue
    }
    const letter = raw[at + 1]
    if (letter === undefined) return { text, pending: '\\' }
    if (letter === 'u') {
      const digits = raw.slice(at + 2, at + 6)
      if (digits.length < 4) return { text, pending: raw.slice(at) }
      text += Buffer.from(String.fromCharCode(Number.parseInt(digits, 16)), 'utf8').toString('latin1')
      at += 5
      continue
    }
    const meant = escapes[letter]
    if (meant === undefined) return undefined
    text += meant
    at += 1
  }
  return { text, pending: '' }
}
