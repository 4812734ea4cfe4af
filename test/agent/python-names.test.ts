/** Python that parses and uses names that nothing gives it. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { readPython } from '../../agent/checks/python-names.ts'
import { syntax } from '../../agent/checks/syntax.ts'
import { openSandbox, openWorkspace } from '../../sandbox/index.ts'
import { has, policyFor, scratch } from './support.ts'

const python = has('python3')
const said = (text: string): string => {
  const { stdout, stderr } = spawnSync('python3', ['-I', '-c', readPython], { input: text, encoding: 'utf8' })
  return `${stdout}${stderr}`.trim()
}

test.runIf(python).each([
  ['import math\ndef f(x):\n    return math.sqrt(x)\n', ''],
  ['def f(x):\n    return math.sqrt(x)\n', "line 2: name 'math' is not defined"],
  ['COLORS = 1\ndef colors():\n    return color_map.keys()\nx = later\n', "line 3: name 'color_map' is not defined"],
  ['def f():\n    return (1\n', "line 2: '(' was never closed"],
  ['class A:\n    k = 1\n    def f(self):\n        return k\n', "line 4: name 'k' is not defined"],
  ['class A:\n    def f(self) -> A:\n        return __class__, super().f, self.k\n', ''],
  ['def f():\n    global g\n    g = 1\ndef h():\n    return g\n', ''],
  ['def outer(a):\n    def inner():\n        nonlocal a\n        a += 1\n        return a\n    return inner\n', ''],
  ['def top(a, b=1, *c, d, **e):\n    f = [g for g in a if (h := g)]\n    return a, b, c, d, e, f, h\n', ''],
  ['try:\n    unicode\nexcept NameError:\n    unicode = str\n', ''],
  ['from x import *\nfoo()\n', ''],
  ['def f():\n    exec("y = 1")\n    return y\n', ''],
  [
    'import a.b as c, d.e\nfrom f import (g as h,\n    i)\nwith open(__file__) as j, c, d:\n    print(h, i, j, __name__)\ndel j\n',
    '',
  ],
  ['from __future__ import annotations\nfor i, (j, k) in []:\n    print(i, j, k)\nelse:\n    lambda z: z\n', ''],
  ['try:\n    pass\nexcept ValueError as error:\n    raise KeyError from error\n', ''],
  ['', ''],
])('%j: %s', (text, expected) => {
  expect(said(text)).toBe(expected)
})

test.runIf(python)('what is nested deeper than Python’s own reader goes is no fault of its names', () => {
  expect(said(`x = ${'-'.repeat(100_000)}1\n`)).toBe('')
})

async function checked(before: string | null, after: string, task = 'Fix a.py') {
  const root = scratch({ 'a.py': after })
  const [sandbox, signal] = [await openSandbox({ roots: [root] }), new AbortController().signal]
  const context = { commands: {}, workspace: openWorkspace(root), sandbox, policy: policyFor(root), signal }
  return (await syntax({ ...context, task, files: [{ path: 'a.py', before, after }] }))?.passed
}

test.runIf(python)(
  'a name that came from nowhere before is no fault of the change, unless the task names it',
  async () => {
    const uses = (name: string) => `def f():\n    return ${name}\n`
    expect(await checked(uses('1'), uses('made'))).toBe(false)
    expect(await checked(null, uses('made'))).toBe(false)
    expect(await checked(uses('other'), uses('made'))).toBe(false)
    expect(await checked(uses('made'), `${uses('made')}x = 1\n`)).toBe(true)
    expect(await checked(uses('made'), `${uses('made')}x = 1\n`, 'Fix a.py: made is missing')).toBe(false)
    expect(await checked(uses('made'), `${uses('made')}x = 1\n`, 'Fix the NameError in a.py')).toBe(false)
  },
)

test.runIf(python)(
  'a name that came from nowhere and is called otherwise, as asked for, still comes from there',
  async () => {
    const uses = (name: string) => `def f():\n    return ${name} + ${name}s\n`
    const task = 'Rename made to given in a.py'
    expect(await checked('y = made\n', 'y = given\n', task)).toBe(true)
    expect(await checked('y = made\n', 'y = given + 1\n', task)).toBe(false)
    expect(await checked(uses('made'), 'def f():\n    return given + mades\n', task)).toBe(true)
    expect(await checked('y = other\n', 'y = given\n', task)).toBe(false)
  },
)

test.runIf(python)('what could be read before, but for a missing name, has to be readable', async () => {
  expect(await checked('y = made\n', 'y = (made\n', 'Add a bracket in a.py')).toBe(false)
})
