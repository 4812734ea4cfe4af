import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeNearest } from '../../tools/edit/nearest.ts'
import { replaceText } from '../../tools/edit/replace.ts'
import { toLf } from '../../tools/text/lines.ts'

const replaced = (before: string, old: string, next: string, all?: boolean): string => {
  const result = replaceText(before, old, next, all)
  return result.ok ? result.text : result.reason
}

describe('lenient tiers change only what they must', () => {
  test('lines that old and new share keep their own trailing space', () => {
    expect(replaced('a  \nb\t\nc\n', 'a\nb\n', 'a\nB\n')).toBe('a  \nB\nc\n')
  })
  test('typographic characters of unchanged lines stay', () => {
    expect(replaced('say(‘hi’)\nx = 1 – 2\n', "say('hi')\nx = 1 - 2", "say('hi')\nx = 3")).toBe('say(‘hi’)\nx = 3\n')
  })
  test('deeper indentation of the file is given to the new lines', () => {
    expect(replaced('class A:\n    def f():\n        return 1\n', 'def f():\n  return 1', 'x')).toBe('no-match')
    expect(replaced('class A:\n    if x:\n        y()\n', 'if x:\n    y()\n', 'if x:\n\n    z()\n')).toBe(
      'class A:\n    if x:\n\n        z()\n',
    )
  })
  test('lesser indentation too, unless a new line has not enough to give up', () => {
    expect(replaced('if x:\n    y()\n', '    if x:\n        y()', '    if x:\n        z()')).toBe('if x:\n    z()\n')
    expect(replaced('if x:\n    y()\n', '    if x:\n        y()', 'if x:\n        z()')).toBe('no-match')
  })
  test('tabs for spaces', () => {
    const before = 'func f() {\n\tif x {\n\t\ty()\n\t}\n}\n'
    expect(replaced(before, '    if x {\n        y()\n    }', '    if x {\n        z()\n    }')).toBe(
      'func f() {\n\tif x {\n\t\tz()\n\t}\n}\n',
    )
  })
  test('line numbers that read shows are taken off', () => {
    expect(replaced('a\nb\nc\n', '2\tb\n3\tc', '2\tB\n3\tC')).toBe('a\nB\nC\n')
    expect(replaced('a\nb\nc\n', '2\tb\n5\tc', '2\tB\n5\tC')).toBe('no-match')
  })
  test('two lenient matches are refused', () => {
    expect(replaced('f(‘a’)\nf(‘a’)\n', "f('a')", 'g()')).toBe('many-matches')
    expect(replaced('  a = 1\n    b = 2\n  a = 1\n    b = 2\n', 'a = 1\n  b = 2', 'c')).toBe('many-matches')
  })
  test('blank text matches exactly or not at all', () => {
    expect(replaced('a\n\t\nb\n', '  \n', 'x\n')).toBe('no-match')
  })
  test('overlapping matches are ambiguous', () => {
    expect(replaced('aaa', 'aa', 'b')).toBe('many-matches')
    expect(replaced('aaa', 'aa', 'b', true)).toBe('ba')
  })
})

describe('line endings and the end of the file', () => {
  test('mixed endings: each line keeps its own, new ones follow the line before', () => {
    expect(replaced('a\r\nb\nc\r\n', 'a\nb\nc\n', 'a\nx\nb\ny\nc\n')).toBe('a\r\nx\r\nb\ny\nc\r\n')
  })
  test('old ends with a newline that the last line lacks', () => {
    expect(replaced('a\nb', 'b\n', 'c\n')).toBe('a\nc')
  })
  test('a `$` in the new text is a `$`', () => {
    expect(replaced('a', 'a', "$& $1 $' $$")).toBe("$& $1 $' $$")
  })
})

/** The plain meaning of an edit, without line endings and lenient tiers. */
function model(before: string, old: string, next: string, all: boolean): string | undefined {
  const parts = before.split(old)
  if (parts.length === 2 || (all && parts.length > 1)) return parts.join(next)
  return undefined
}

const line = fc.constantFrom('a', 'b', 'ab', '  a', 'x = 1', '', 'é', '“q”')
const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'))

test('equals the plain model wherever that has an answer, in files of either ending', () => {
  let compared = 0
  fc.assert(
    fc.property(
      text,
      fc.nat(30),
      fc.nat(12),
      text,
      fc.boolean(),
      fc.boolean(),
      (file, start, length, next, all, crlf) => {
        const old = file.slice(start, start + length)
        if (old === '' || old === next) return
        const before = crlf && file.includes('\n') ? file.replaceAll('\n', '\r\n') : file
        const expected = model(file, old, next, all)
        const result = replaceText(before, old, next, all)
        if (expected === undefined) {
          expect(result).toMatchObject({ ok: false, reason: 'many-matches' })
        } else if (result.ok) {
          compared += 1
          expect(result.text).toBe(before === file ? expected : expected.replaceAll('\n', '\r\n'))
        } else {
          // Overlapping places count as several for us; or nothing changes.
          const overlaps = file.indexOf(old, file.indexOf(old) + 1) >= 0
          expect(overlaps || expected === file).toBe(true)
        }
      },
    ),
    { numRuns: 2000 },
  )
  expect(compared).toBeGreaterThan(400)
})

test('whatever the arguments, what is outside of the matched lines stays byte for byte', () => {
  const any = fc
    .array(fc.oneof(line, fc.constantFrom('\r\n', '\n', '\t', ' ', '1\ta')), { maxLength: 10 })
    .map((p) => p.join(''))
  fc.assert(
    fc.property(any, any, any, any, (head, old, tail, next) => {
      const marked = `HEAD${head}\n`
      const before = `${marked}${old}\n${tail}TAIL`
      const result = replaceText(before, old, next)
      if (!result.ok) return
      expect(result.text.startsWith('HEAD') || toLf(old).includes('HEAD')).toBe(true)
      expect(result.text.endsWith('TAIL')).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

describe('a miss shows the nearest place and what differs', () => {
  const file =
    'import os\n\ndef load(path):\n    data = open(path).read()\n    return data\n\ndef save(path):\n    pass\n'
  test('other text', () => {
    const told = describeNearest(file, 'def load(path):\n    data = open(path, "r").read()\n    return data\n')
    expect(told).toContain('Nearest place, lines 3-5 of 8:\n3\tdef load(path):')
    expect(told).toContain('Line 4 differs in text: file "    data = open(path).read()"')
  })
  test('indentation, spaces, case, and characters that look like nothing', () => {
    expect(describeNearest('\tx = compute(1)\n\ty = 2\n', '    x = compute(1)\n    y = 3\n')).toContain('indentation')
    expect(describeNearest('x = compute( 1 )\n', 'x = compute(1)')).toContain('differs in spaces')
    expect(describeNearest('x = Compute(1)\n', 'x = compute(1)')).toContain('upper and lower case')
    expect(describeNearest('a = “one two”\nb\n', 'a = "one two"\nc\n')).toContain('\\u201c')
  })
  test('nothing like it', () => {
    expect(describeNearest(file, 'zzzzzzzzzzzzzzzzzzzzzzzz')).toContain('Nothing in the file (8 lines) is like it')
  })
  test('stays quick on a large file', () => {
    const large = 'const value = compute(thing)\n'.repeat(100_000)
    const started = performance.now()
    describeNearest(large, 'const values = computed(things)\n'.repeat(300))
    replaceText(large, `${'const value = compute(thing) \n'.repeat(5000)}x`, 'y')
    expect(performance.now() - started).toBeLessThan(3000)
  })
})
