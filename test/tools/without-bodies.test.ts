import { expect, test } from 'vitest'
import { withoutBodies } from '../../tools/text/without-bodies.ts'

test('of Python declarations and docstrings stay, and what is in no function', () => {
  const text = `"""All of it."""
import re
SIZES = {"a": 1,
         "b": 2}

def first(a,
          b=":"):
    """Does.

    >>> first(1)
    """
    x = 1

    return x

class A:
    name = "A"

    @property
    def one(self):
        '''One line.'''
        def inner():
            return 1
        return inner()
    async def none(self): return 2

def last():
    return 3
`
  expect(withoutBodies('a.py', text)).toBe(`"""All of it."""
import re
SIZES = {"a": 1,
         "b": 2}

def first(a,
          b=":"):
    """Does.

    >>> first(1)
    """
    ...

class A:
    name = "A"

    @property
    def one(self):
        '''One line.'''
        ...
    async def none(self): return 2

def last():
    ...
`)
})

test('of languages with braces, too; what only controls, and types, stay', () => {
  const text = `export interface A {
  b(): void
}
export class B {
  constructor(readonly a: A) {
    super()
    if (a) {
      a.b()
    }
  }
}
export const f = (a: number): number => {
  return a
}
export default class C extends mixin(B) {
  two(
    a: number,
    b = 2,
  ): number {
    return a + b
  }
}
if (f(1) > 0) {
  f(2)
}
`
  expect(withoutBodies('a.ts', text)).toBe(`export interface A {
  b(): void
}
export class B {
  constructor(readonly a: A) {
    // …
  }
}
export const f = (a: number): number => {
  // …
}
export default class C extends mixin(B) {
  two(
    a: number,
    b = 2,
  ): number {
    // …
  }
}
if (f(1) > 0) {
  f(2)
}
`)
})

test('nothing is said of what has no functions, ends in the middle, or is in another language', () => {
  for (const text of ['def f():\n    # TODO\n    pass\n\ndef g(): ...\n', '', 'x = 1\n', 'def f(', 'def f():']) {
    expect(withoutBodies('a.py', text)).toBeUndefined()
  }
  expect(withoutBodies('a.ts', 'function f() {\n  return 1\n')).toBeUndefined()
  expect(withoutBodies('a.js', "const f = () => {\n  throw new Error('Remove this');\n}\n")).toBeUndefined()
  expect(withoutBodies('a.sh', 'f() {\n  true\n}\n')).toBeUndefined()
  expect(withoutBodies('a.py', 'def f():\n    return 1\n'.repeat(1000))).toBeUndefined()
})
