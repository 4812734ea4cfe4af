/** What a task quotes of a program's output is told apart from its words. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withoutOutput } from '../../../agent/context/without-output.ts'

const pytest = `.F.                                                      [ 75%]
=================================== FAILURES ===================================
_________________________ EtlTest.test_many_letters ____________________________

self = <etl_test.EtlTest testMethod=test_many_letters>

    def test_many_letters(self):
        legacy_data = {1: ["A", "E"]}
>       self.assertEqual(transform(legacy_data), {"a": 1, "e": 1})
                         ^^^^^^^^^^^^^^^^^^^^^^

etl_test.py:23: 
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _

legacy_data = {1: ['A', 'E']}

    def transform(legacy_data):
>       letter = letter.lower()
E       AttributeError: 'int' object has no attribute 'lower'
E       
E       nothing else

etl.py:19: AttributeError
=========================== short test summary info ============================
FAILED etl_test.py::EtlTest::test_many_letters - AttributeError: 'int' object...
!!!!!!!!!!!!!!!!!!!!!!!!!! stopping after 1 failures !!!!!!!!!!!!!!!!!!!!!!!!!!!
1 failed, 2 passed in 0.04s`

const unittest = `F
======================================================================
FAIL: test_add (t.T.test_add)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/tmp/t.py", line 5, in test_add
    self.assertEqual(add(1, 2), 3)
AssertionError: -1 != 3

----------------------------------------------------------------------
Ran 1 test in 0.001s

FAILED (failures=1)`

const jest = `FAIL  ./sum.test.js
  ● adds

    expect(received).toBe(expected) // Object.is equality

    Expected: 3
    Received: -1

      2 | test('adds', () => {
    > 3 |   expect(sum(1, 2)).toBe(3)
        |                     ^
      4 | })

      at Object.<anonymous> (sum.test.js:3:21)

Tests:       1 failed, 1 total
Time:        0.3 s`

describe.each(Object.entries({ pytest, unittest, jest }))('%s', (_, output) => {
  test('goes, and the words around it stay', () => {
    const task = `Implement it.\n\nThe tests fail:\n\n${output}\n\nThe tests are right. Correct etl.py.`
    expect(withoutOutput(task)).toBe('Implement it.\n\nThe tests fail:\n\nThe tests are right. Correct etl.py.')
  })

  test('with its fence', () => {
    const task = `It fails:\n\`\`\`\n${output}\n\`\`\`\nCorrect it.`
    expect(withoutOutput(task)).toBe('It fails:\nCorrect it.')
  })

  test('other fences stay, also one after the other', () => {
    const fences = '```\na = 1\n```\n\n```\nb = 2\n```'
    expect(withoutOutput(`${fences}\n\n${output}\n\n${fences}`)).toBe(`${fences}\n\n${fences}`)
  })
})

test.each([
  'Rename x in a.py:10 and b.py:20',
  'a.py:10 rename x\nb.py:20 rename y\n',
  '# Title\n\n=====\n\nSome words\n-----------\n\n- one\n- two\n',
  'Write f.\n\n```python\ndef f(x):\n    """\n    >>> f(1)\n    2\n    """\n```\n\n> quoted\n> more\n',
  '| a | b |\n|---|---|\n| 1 | 2 |\n',
  'Test the function.\ntest it again\nError handling is missing.\n\n\n\nAdd it.',
])('words stay as they are: %j', (task) => {
  expect(withoutOutput(task)).toBe(task)
})

test('no more than what was there, and soon', () => {
  const piece: fc.Arbitrary<string> = fc.constantFrom(
    'E   x',
    '> y',
    '====== a ======',
    'FAILED b',
    '',
    '  code',
    'words',
    '```',
    '12 | z',
    '_ _ _ _ _ _ _ _',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (lines) => {
      const left = withoutOutput(lines.join('\n')).split('\n')
      let at = 0
      for (const line of left) {
        if (line === '') continue
        at = lines.indexOf(line, at) + 1
        expect(at).toBeGreaterThan(0)
      }
      expect(left.filter((line) => line === 'words')).toEqual(lines.filter((line) => line === 'words'))
    }),
  )
  const began = process.cpuUsage().user
  for (const hostile of ['=', ' ', '_ ', 'a.b', '+ ', '.F', '  at ']) withoutOutput(hostile.repeat(50_000))
  withoutOutput('E   x\n'.repeat(50_000))
  withoutOutput('E   x\n> y\nwords\n```\n'.repeat(30_000))
  withoutOutput(`words\n${'\n'.repeat(50_000)}E   x\nE   y\n`)
  expect((process.cpuUsage().user - began) / 1000).toBeLessThan(2000)
})
