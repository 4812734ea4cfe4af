import stringWidth from 'string-width'
import { expect, it } from 'vitest'
import cells, { isPlain } from '../../src/tui/text/cells.ts'

/** Every character that is measured without the library's tables. */
const plain = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).filter(isPlain)

it('what is taken for plain is one cell each for the library, too, alone and beside another', () => {
  expect(plain.length).toBeGreaterThan(1000)
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
  for (const char of plain) {
    expect([char, stringWidth(char)]).toEqual([char, 1])
    const pair = `${char}${char}`
    expect([char, [...segmenter.segment(pair)].length]).toEqual([char, 2])
  }
})

it('measures as the library does', () => {
  for (const text of [
    '',
    'abc',
    '› é',
    '\x1b[32m✓\x1b[39m done',
    '世界',
    '👨‍👩‍👧',
    'שלום',
    '✓\ufe0f',
    'e\u0301',
    '#\ufe0f\u20e3',
    '\x1b]8;;x\x07a',
  ])
    expect([text, cells(text)]).toEqual([text, stringWidth(text)])
})
