import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeLoss, whatIsLost } from '../../tools/index.ts'
import { definitionsOf } from '../../tools/text/definitions.ts'

const names = (text: string): string[] => definitionsOf(text).map(({ name }) => name)
const lost = (before: string, after: string): string[] =>
  whatIsLost(before, after).map((loss) => (loss.kind === 'definition' ? loss.name : loss.kind))

describe('definitions', () => {
  test.each([
    [
      'python',
      'class A(B):\n    async def f(self):\n        return g(1)\nif x(1):\n    pass\nh = lambda x: x',
      ['A', 'f', 'h'],
    ],
    [
      'typescript',
      'export default class A {\n  #x(y: number): void {\n  }\n  static async b() {\n    if (c) {\n    }\n  }\n}\nexport const d = async (e) => e\ninterface F {}\nfunction* g() {}\nconst n = 1\nfoo(bar)\n',
      ['A', 'x', 'b', 'd', 'F', 'g'],
    ],
    ['go', 'func (s *Server) Start(a int) error {\n\treturn run(a)\n}\ntype T struct {\n}\n', ['Start', 'T']],
    ['rust', 'pub(crate) async fn run<T>(x: T) -> T {\n}\npub struct S;\nimpl S {\n}\n', ['run', 'S']],
    [
      'java',
      'public class A {\n  private static List<String> names(int n) throws E {\n    return other(n);\n  }\n}',
      ['A', 'names'],
    ],
    ['c', 'static int *find(const char *s)\n{\n  while (next(s)) {\n  }\n  return lookup(s);\n}\n', ['find']],
    ['shell', 'build() {\n  make all\n}\nfunction clean {\n}\n', ['build', 'clean']],
  ])('of %s', (_language, text, expected) => {
    expect(names(text)).toEqual(expected)
  })
})

const python = `"""Tools for lists."""
import math

# Licensed to nobody.
# All rights reserved.


def first(items):
    """The first item.

    >>> first([1, 2])
    1
    """
    return items[0]


def last(items):
    return items[-1]


class Pair:
    def swap(self):
        return Pair(self.b, self.a)


"""
Trailing words about first and last:
they are not the same.
"""
`

describe('what is lost', () => {
  test('nothing, where a function is changed in its place', () => {
    expect(lost(python, python.replace('items[0]', 'next(iter(items))'))).toEqual([])
    expect(lost(python, `${python}\ndef more():\n    pass\n`)).toEqual([])
    expect(lost(python, python.replaceAll('\n', '\r\n'))).toEqual([])
  })
  test('nothing, where a docstring is written anew', () => {
    expect(lost(python, python.replace('Tools for lists.', 'Everything that one wants to do with sequences.'))).toEqual(
      [],
    )
  })
  test('definitions, with their lines', () => {
    const after = python.replace(/class Pair:[\s\S]*?\n\n\n/, '')
    expect(whatIsLost(python, after)).toEqual([
      { kind: 'definition', name: 'Pair', line: 21 },
      { kind: 'definition', name: 'swap', line: 22 },
    ])
  })
  test('one of several of a name: methods of two classes', () => {
    const method = (name: string) => `    def ${name}(self):\n        call(1)\n\n`
    const both = `class A:\n${method('go')}${method('stop')}\nclass B:\n${method('go')}${method('stop')}`
    const last = both.lastIndexOf(method('stop'))
    expect(whatIsLost(both, both.slice(0, last))).toEqual([{ kind: 'definition', name: 'stop', line: 13 }])
    const script = 'class A {\n  go() {\n    run()\n  }\n}\nclass B {\n  go() {\n    run()\n  }\n  stop() {}\n}\n'
    expect(lost(script, script.replace('  go() {\n    run()\n  }\n', ''))).toEqual(['go'])
    // A call that looks like the head of a function is none, and a namesake that is added loses nothing.
    expect(lost('func f() {\n\tgo work(1\n\tgo work(2\n}\n', 'func f() {\n\tgo work(2\n}\n')).toEqual([])
    expect(lost(script, `${script}class C {\n  go() {\n    run()\n  }\n}\n`)).toEqual([])
  })
  test('the docstring at the end of the file', () => {
    const after = python.slice(0, python.indexOf('\n\n"""\nTrailing'))
    expect(whatIsLost(python, after)).toEqual([{ kind: 'doc', text: 'Trailing words about first and last:', line: 26 }])
  })
  test('a docstring inside, a comment at the top', () => {
    expect(lost(python, python.replace(/ {4}"""The first[\s\S]*?"""\n/, ''))).toEqual(['doc'])
    expect(lost(python, python.replace(/# .*\n# .*\n/, ''))).toEqual(['doc'])
  })
  test('most of the file, when only one function comes back', () => {
    expect(lost(python, 'def first(items):\n    return items[0] if items else None\n')).toEqual([
      ...['last', 'Pair', 'swap', 'doc', 'doc', 'doc', 'doc', 'shrink'],
    ])
  })
  test('code that a comment stands for', () => {
    const ending = (comment: string) => `def first(items):\n    return None\n\n${comment}\n`
    for (const comment of [
      '# ... rest of the code remains unchanged',
      '// ... existing code ...',
      '# The rest of the file is the same',
      '# ...',
      '/* remaining methods unchanged */',
    ]) {
      expect(lost('def first(items):\n    return 1\n', ending(comment)), comment).toEqual(['elision'])
    }
    for (const comment of ['# Returns the rest of the list', '# same as max()', '# all of it']) {
      expect(lost('def first(items):\n    return 1\n', ending(comment)), comment).toEqual([])
    }
  })
  test('every loss can be told in a line', () => {
    const told = whatIsLost(python, '# ...\n').map(describeLoss)
    expect(told).toContain('Pair (line 21) is gone')
    expect(told.every((line) => !line.includes('\n'))).toBe(true)
  })
  test('our own sources lose nothing to themselves, and everything when emptied', () => {
    for (const file of globSync('{tools,sandbox}/**/*.ts', { cwd: join(import.meta.dirname, '../..') })) {
      const text = readFileSync(join(import.meta.dirname, '../..', file), 'utf8')
      expect(whatIsLost(text, text), file).toEqual([])
      expect(whatIsLost(text, '').length, file).toBeGreaterThan(0)
    }
  })
  test('stays quick on hostile text', () => {
    const started = performance.now()
    const hostile = [
      'a '.repeat(200),
      '(('.repeat(200),
      `"""${'x\n'.repeat(50_000)}`,
      '/*\n'.repeat(200_000),
      `${`a${'*'.repeat(400)};`}\n`.repeat(500),
      `${'f(a)'.repeat(100)} =\n`.repeat(500),
      `x${'()'.repeat(240)} {\n`.repeat(500),
      `${'const a = ('.repeat(40)}\n`.repeat(500),
    ]
    for (const text of hostile) whatIsLost(text, text.slice(0, -1))
    expect(performance.now() - started).toBeLessThan(4000)
  })
})

describe('members of types', () => {
  const options = [
    'export interface Options {',
    '\t/**',
    '\tWhat stands between words.',
    '',
    '\tinside: not a member;',
    '\t*/',
    '\treadonly separator?: string;',
    '\treadonly pairs?: ReadonlyArray<[string, string]>;',
    '\tlowercase: boolean',
    '}',
    '',
  ].join('\n')

  test('that a whole-file answer leaves out are lost, though no function is and the file hardly shrinks', () => {
    const after = options
      .replace('\treadonly pairs?: ReadonlyArray<[string, string]>;\n', '')
      .replace('\tlowercase: boolean\n', '')
    expect(whatIsLost(options, after)).toMatchObject([
      { kind: 'definition', name: 'pairs', line: 8 },
      { kind: 'definition', name: 'lowercase', line: 9 },
    ])
  })

  test('may change their types and places, and be followed by others', () => {
    const after = options
      .replace('lowercase: boolean', 'upper: boolean\n\tlowercase?: 0 | 1')
      .replace('pairs?', 'pairs')
    expect(whatIsLost(options, after)).toEqual([])
  })

  test('are none where no type is declared', () => {
    expect(whatIsLost('const a = {\n  b: 1,\n  c: 2,\n}\n', 'const a = {\n  b: 1,\n}\n')).toEqual([])
  })
})
