import { expect, test } from 'vitest'
import { mergeDefinitions, whatIsLost } from '../../tools/index.ts'

const python = `"""Tools for lists."""
import math


def first(items):
    """The first item.

first([1, 2]) is 1
    """
    return items[0]


class Pair:
    @property
    def left(self):
        return self.a

    def swap(self):
        return Pair(self.b, self.a)


"""
Trailing words.
"""
`

test('a lone function goes into its place, and its docstring stays', () => {
  const merged = mergeDefinitions(
    python,
    'def first(items):\n    if not items:\n        return None\n    return items[0]\n',
  )
  expect(merged).toBe(
    python.replace('    return items[0]', '    if not items:\n        return None\n    return items[0]'),
  )
  expect(whatIsLost(python, merged!)).toEqual([])
})

test('its own docstring replaces the old one', () => {
  const merged = mergeDefinitions(python, 'def first(items):\n    """One."""\n    return 1\n')
  expect(merged).toContain('def first(items):\n    """One."""\n    return 1\n\n\nclass Pair:')
})

test('a method without its class is indented like the old one', () => {
  const merged = mergeDefinitions(python, 'def swap(self):\n    x = self.a\n\n    return Pair(self.b, x)\n')
  expect(merged).toBe(
    python.replace('        return Pair(self.b, self.a)', '        x = self.a\n\n        return Pair(self.b, x)'),
  )
})

test('a class with some of its methods is the whole class, decorators and all', () => {
  const merged = mergeDefinitions(python, '@frozen\nclass Pair:\n    def swap(self):\n        return None\n')
  expect(merged).toContain('@frozen\nclass Pair:\n    def swap(self):\n        return None\n\n\n"""\nTrailing')
})

test('new functions follow the last one that has a place, new imports the old ones', () => {
  const merged = mergeDefinitions(
    python,
    'import math\nfrom a import b\n\ndef helper(x):\n    return b(x)\n\ndef first(items):\n    return helper(items)\n',
  )
  expect(merged).toContain('import math\nfrom a import b\n\n\ndef first(items):')
  expect(merged).toContain('    return helper(items)\n\ndef helper(x):\n    return b(x)\n\n\nclass Pair:')
})

test('braces, line endings', () => {
  const js =
    "import a from 'a'\r\n\r\nexport function one() {\r\n  return 1\r\n}\r\n\r\nexport const two = () => {\r\n  return 2\r\n}\r\n"
  expect(mergeDefinitions(js, 'export const two = () => {\n  return 22\n}\n')).toBe(
    js.replace('return 2\r', 'return 22\r'),
  )
  const c = 'int a(void)\n{\n  return 1;\n}\n\nint b(void)\n{\n  return 2;\n}\n'
  expect(mergeDefinitions(c, 'int a(void)\n{\n  return 11;\n}\n')).toBe(c.replace('return 1;', 'return 11;'))
})

test('what would be a guess is not done', () => {
  expect(mergeDefinitions(python, 'def other():\n    pass\n')).toBeUndefined()
  expect(mergeDefinitions(python, 'x = 1\ndef first(items):\n    return x\n')).toBeUndefined()
  expect(
    mergeDefinitions(
      'class A:\n  def f(self):\n    pass\nclass B:\n  def f(self):\n    pass\n',
      'def f(self):\n  return 1\n',
    ),
  ).toBeUndefined()
  expect(mergeDefinitions(python, '')).toBeUndefined()
})
