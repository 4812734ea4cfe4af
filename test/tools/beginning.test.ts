/** What is told of a running command's result is what the result then begins with. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sureBeginning, tell } from '../../tools/command.ts'

const piece = fc.oneof(
  fc.constantFrom('\n', '\r\n', '\r', ' ', '   ', '\n\n\n', '\u001b[31m', '\u001b[0m', '\t', '｜DSML｜', '日本'),
  fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[\u001b\u009b\u009d]/g, '')),
)

test('at every moment, whatever comes after it', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 120 }), fc.nat(), fc.constantFrom(500, 200, 40), (pieces, cut, chars) => {
      const output = pieces.join('')
      const sure = sureBeginning(output.slice(0, cut % (output.length + 1)), chars)
      const result = { outcome: 'exited', exitCode: 0, output, outputBytes: 1, truncated: false, seconds: 1 } as const
      if (sure !== '') expect(tell(result, 1, chars).startsWith(`exit code 0\n${sure}`)).toBe(true)
    }),
    { numRuns: 5000 },
  )
})

test('whole lines, up to where a long result is cut', () => {
  expect(sureBeginning('a\nb\nhalf a li', 100)).toBe('a\nb')
  expect(sureBeginning('no line yet', 100)).toBe('')
  expect(sureBeginning('0123456789\n'.repeat(50), 100)).toBe('0123456789\n'.repeat(4).trimEnd())
})
