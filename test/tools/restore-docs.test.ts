import { expect, test } from 'vitest'
import { restoreDocs } from '../../tools/text/restore-docs.ts'

const stub = `"""
What this is.

More of it.
"""

# The categories.
A = None
B = None


def f(x):
    pass
`

test('a docstring comes back whole, also where the new text has empty lines like its own', () => {
  const answer = `A = 0
B = 1


def g(x):
    return x

def f(x):
    return g(x)
`
  const restored = restoreDocs(stub, answer)
  expect(restored).toContain('"""\nWhat this is.\n\nMore of it.\n"""\nA = 0\nB = 1\n')
  // Nothing of the answer is lost or moved.
  let at = -1
  const lines = restored?.split('\n') ?? []
  for (const line of answer.split('\n').slice(0, -1)) {
    at = lines.indexOf(line, at + 1)
    expect(at).toBeGreaterThanOrEqual(0)
  }
})

test('the docstring at the end of a file stays at its end when the last line of code changes', () => {
  const before = 'def f(n):\n    return n\n\n\n"""\nF\n\nOutput:\n    n\n"""\n'
  expect(restoreDocs(before, 'def f(n):\n    return n + 1\n')).toBe(
    'def f(n):\n    return n + 1\n\n\n"""\nF\n\nOutput:\n    n\n"""\n',
  )
})

test('the docstring of a function stays below its head', () => {
  const before = 'def f(n):\n    """Add one.\n\n    >>> f(1)\n    2\n    """\n    pass\n'
  expect(restoreDocs(before, 'def f(n):\n    return n + 1\n')).toBe(
    'def f(n):\n    """Add one.\n\n    >>> f(1)\n    2\n    """\n    return n + 1\n',
  )
})
