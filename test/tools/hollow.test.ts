import { expect, test } from 'vitest'
import { keepHollow } from '../../tools/index.ts'

const script = `import { read } from './read.js'

/** Sum of the lines. */
export function subtotal(lines) {
  return lines.reduce((sum, line) => sum + line.price, 0)
}

export function shipping(
  lines,
) {
  return subtotal(lines) < 5 ? 0 : 1
}

export class Cart {
  total() {
    // Both of them.
    return 1
  }
}
`

test.each(['// …', '// Implementation of subtotal', '/* as before */', '// TODO\n\n      // later'])(
  'a function in which only %j stands keeps what stood there, and what was written stays',
  (mark) => {
    const answer = script
      .replace('return lines.reduce((sum, line) => sum + line.price, 0)', mark)
      .replace('    // Both of them.\n    return 1', `    ${mark}`)
      .replace('< 5', '>= 5')
    expect(keepHollow(script, answer)).toBe(script.replace('< 5', '>= 5'))
  },
)

test('Python, by its indentation; the docstring is no body', () => {
  const before = 'def one(x):\n    """Says it."""\n    return x\n\n\ndef two(x):\n    return one(x) + 1\n'
  const answer = 'def one(x):\n    """Says it."""\n    # unchanged\n\n\ndef two(x):\n    return one(x) + 2\n'
  expect(keepHollow(before, answer)).toBe(before.replace('+ 1', '+ 2'))
  expect(keepHollow(before, 'def one(x):\n    """Says it."""\n    ...\n\n\ndef two(x):\n    ...\n')).toBe(before)
  expect(keepHollow(before.replaceAll('\n', '\r\n'), answer)).toBe(
    before.replace('+ 1', '+ 2').replaceAll('\n', '\r\n'),
  )
})

test('nothing is guessed: code stands there, it was empty before, it is commented out, it is new, or there are two', () => {
  expect(keepHollow(script, script)).toBeUndefined()
  expect(keepHollow(script, script.replace('< 5', '>= 5'))).toBeUndefined()
  const empty = 'function f() {\n  // nothing yet\n}\n'
  expect(keepHollow(empty, empty.replace('nothing yet', 'later'))).toBeUndefined()
  expect(
    keepHollow(script, script.replace('    return 1', '    // return 1').replace('Both of', 'None of')),
  ).toBeUndefined()
  expect(keepHollow(script, `${script}\nfunction fresh() {\n  // …\n}\n`)).toBeUndefined()
  const twins = 'class A:\n    def f(self):\n        return 1\n\nclass B:\n    def f(self):\n        return 2\n'
  expect(keepHollow(twins, twins.replace('return 1', '# …'))).toBeUndefined()
  expect(keepHollow(script, '')).toBeUndefined()
  expect(keepHollow('', script)).toBeUndefined()
})

test('a call that looks like a definition is none', () => {
  const before = 'export function money(x) {\n  return String(x)\n}\n\nexport function bill() {\n  return 1\n}\n'
  const answer = before.replace('return String(x)', '// …').replace('return 1', 'return {\n    total: money(2),\n  }')
  expect(keepHollow(before, answer)).toBe(before.replace('return 1', 'return {\n    total: money(2),\n  }'))
})

test('what only looks like a comment is code', () => {
  const pointer = 'void set(int *p) {\n  int x = 4;\n  *p = x;\n}\n'
  expect(keepHollow(pointer, 'void set(int *p) {\n  *p = 5;\n}\n')).toBeUndefined()
  const member = 'class A {\n  one() {\n    return 1\n  }\n}\n'
  expect(keepHollow(member, 'class A {\n  #count = 0\n}\n')).toBeUndefined()
  const c = 'int f(int x) {\n  return x;\n}\n'
  expect(keepHollow(c, 'int f(int x) {\n# error no\n}\n')).toBeUndefined()
  expect(keepHollow(c, 'int f(int x) {\n  /* as\n   * before */ return 2;\n}\n')).toBeUndefined()
  expect(keepHollow(c, 'int f(int x) {\n  /* as\n   * before\n   */\n}\n')).toBe(c)
})

test('a file full of heads is soon looked through', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `function f${i}() {\n  return ${i}\n}`).join('\n')
  const hollow = many.replace(/return \d+/g, '// …')
  expect(keepHollow(many, hollow)).toBe(many)
})
