import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainText } from '../../sandbox/index.ts'

test.each([
  ['colours', '\x1b[1;31mred\x1b[0m', 'red'],
  ['a title', '\x1b]0;evil\x07text', 'text'],
  ['a link', '\x1b]8;;http://x\x1b\\here\x1b]8;;\x1b\\', 'here'],
  ['a clipboard write', '\x1b]52;c;ZXZpbA==\x07', ''],
  ['clear and home', '\x1b[2J\x1b[Hx', 'x'],
  ['a device string', 'a\x1bPq#0;2;0;0;0\x1b\\b', 'ab'],
  ['8-bit forms', 'a\x9b31mb\x9d0;t\x9cc', 'abc'],
  ['an unfinished string', 'a\x1b]0;never\nnext', 'a\nnext'],
  ['a lone escape at the end', 'a\x1b', 'a'],
  ['bells and backspaces', 'a\x07\b\x00b', 'ab'],
  ['bidirectional overrides', 'a\u202eb\u2066c', 'abc'],
  ['a progress bar', ' 10%\r 50%\r100%\ndone', '100%\ndone'],
  ['line ends of Windows', 'a\r\nb\r\n', 'a\nb\n'],
  ['what people read', 'tab\tä 😀\n', 'tab\tä 😀\n'],
])('%s', (_, text, shown) => expect(plainText(text)).toBe(shown))

test('nothing that a terminal obeys is left, whatever comes', () => {
  const nasty = fc.string({
    unit: fc.constantFrom(
      '\x1b',
      '[',
      ']',
      'P',
      '\\',
      '0',
      ';',
      'm',
      '\x07',
      '\x9b',
      '\x9c',
      '\r',
      '\n',
      'a',
      '\u202e',
      '\x00',
    ),
  })
  fc.assert(
    fc.property(nasty, (text) => {
      expect(plainText(text)).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/)
    }),
    { numRuns: 2000 },
  )
})
