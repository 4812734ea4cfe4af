import fc from 'fast-check'
import { expect, test } from 'vitest'
import { safeJson, sanitize, sanitizeLine } from '../../../src/terminal/sanitize.ts'

/** Everything but newline, tab and printable characters; written apart from the code under test. */
function obeyed(text: string): string[] {
  return [...text].filter((character) => {
    const code = character.codePointAt(0) ?? 0
    if (code === 0x0a || code === 0x09) return false
    return (
      code < 0x20 ||
      (code >= 0x7f && code <= 0x9f) ||
      [0x061c, 0x200e, 0x200f, 0x2028, 0x2029].includes(code) ||
      (code >= 0x202a && code <= 0x202e) ||
      (code >= 0x2066 && code <= 0x2069) ||
      (code >= 0xe0000 && code <= 0xe007f) ||
      (code >= 0xd800 && code <= 0xdfff)
    )
  })
}

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\x1b[2J',
        '\x1b]0;title\x07',
        '\x1b]52;c;aGk=\x1b\\',
        '\x1bP1;2q\x1b\\',
        '\x9b31m',
        '\x1b',
        '[31m',
        '\r',
        '\r\n',
        '\u202e',
        '\u2066',
        '\ud83d',
        '\ude00',
        '😀',
        'é',
      ),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code)) }),
    ),
  )
  .map((parts) => parts.join(''))

test('shows what a terminal would obey', () => {
  expect(sanitize('a\x1b[31mred\x1b[0m')).toBe('a␛[31mred␛[0m')
  expect(sanitize('\x1b]52;c;aGk=\x07')).toBe('␛]52;c;aGk=␇')
  expect(sanitize('\x9b2J')).toBe('<U+009B>2J')
  expect(sanitize('user\u202etxt.exe')).toBe('user<U+202E>txt.exe')
  expect(sanitize('half \ud83d')).toBe('half \ufffd')
  expect(sanitize('tag\u{e0041}')).toBe('tag<U+E0041>')
})

test('leaves ordinary text of any script alone', () => {
  for (const text of ['line\n\tindented\n', 'naïve 世界 👩‍👩‍👧 مرحبا', 'x = "\u00a0"', '\ufeffbom'])
    expect(sanitize(text)).toBe(text)
  expect(sanitize('dos\r\nline')).toBe('dos\nline')
})

test('one line stays one line', () => {
  expect(sanitizeLine('a\nb\tc\r')).toBe('a␊b c␍')
})

test('nothing dangerous survives, however the text is split into chunks', () => {
  fc.assert(
    fc.property(hostile, fc.nat(), (text, at) => {
      expect(obeyed(sanitize(text))).toEqual([])
      const cut = text.length === 0 ? 0 : at % text.length
      expect(obeyed(sanitize(text.slice(0, cut)) + sanitize(text.slice(cut)))).toEqual([])
    }),
    { numRuns: 5000 },
  )
})

test('safe JSON loses nothing and holds nothing dangerous', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const line = safeJson({ text })
      expect(obeyed(line)).toEqual([])
      expect(line).not.toContain('\n')
      expect(JSON.parse(line)).toEqual({ text })
    }),
    { numRuns: 2000 },
  )
})
