/** What a text of each of the 17 languages defines, by the shipped grammars in their thread. */
import { afterAll, expect, test } from 'vitest'
import { openCode, renderOutline } from '../../../tools/index.ts'

const code = openCode()
afterAll(() => code.close())

const outline = async (path: string, text: string): Promise<string[] | undefined> => {
  const entries = await code.outline(path, text)
  return entries && renderOutline(entries).split('\n')
}

const cases: Readonly<Record<string, readonly [text: string, ...outline: string[]]>> = {
  'a.ts': [
    'export class A<T> extends B {\n  #x = 1\n  async f(a: number): Promise<void> {}\n  z = () => 2\n}\nexport const g = async (a: string) => 3\nconst hidden = 1\ninterface I { m(): void }\nexport type T = { a: 1 }\n',
    '1: export class A<T> extends B',
    '3:   async f(a: number): Promise<void>',
    '4:   z = ()',
    '6: export const g = async (a: string)',
    '8: interface I',
    '8:   m(): void',
    '9: export type T = { a: 1 }',
  ],
  'a.tsx': ['export function View() {\n  return <b>x</b>\n}\n', '1: export function View()'],
  'a.js': ['function* f(a, b) {\n  function inner() {}\n}\n', '1: function* f(a, b)'],
  'a.py': [
    '@deco\nclass A(B):\n    """doc"""\n    def f(self, a: int) -> int:\n        return 1\n\nasync def g(): pass\n',
    '2: class A(B)',
    '4:   def f(self, a: int) -> int',
    '7: async def g()',
  ],
  'a.go': [
    'package a\ntype S struct { a int }\ntype I interface { M() int }\nfunc (s *S) F(a int) (int, error) { return 1, nil }\n',
    '2: type S struct { a int }',
    '3: type I interface',
    '3:   M() int',
    '4: func (s *S) F(a int) (int, error)',
  ],
  'a.rs': [
    'pub struct S<T> { a: T }\nimpl<T> S<T> {\n  pub fn f(&self) -> i32 { 1 }\n}\nmod m { fn x() {} }\n',
    '1: pub struct S<T> { a: T }',
    '2: impl<T> S<T>',
    '3:   pub fn f(&self) -> i32',
    '5: mod m',
    '5:   fn x()',
  ],
  'A.java': [
    'package a;\npublic class A {\n  A() {}\n  public int f(int a) { return 1; }\n  interface I { void m(); }\n}\n',
    '2: public class A',
    '3:   A()',
    '4:   public int f(int a)',
    '5:   interface I',
    '5:     void m()',
  ],
  'a.c': [
    'struct S { int a; };\nstatic int *f(int a, char *b) { return 0; }\nint g(void);\n#define X(a) a\nstruct S s;\n',
    '1: struct S { int a; }',
    '2: static int *f(int a, char *b)',
    '3: int g(void)',
    '4: #define X(a) a',
    '5: struct S s',
  ],
  'a.cpp': [
    'namespace n {\nclass A : public B {\npublic:\n  int f(int a) const { return 1; }\n  void g();\n  int x;\n};\ntemplate <typename T> T h(T a) { return a; }\n}\nint n::A::k() { return 2; }\n',
    '1: namespace n',
    '2:   class A : public B',
    '4:     int f(int a) const',
    '5:     void g()',
    '8:   template <typename T> T h(T a)',
    '10: int n::A::k()',
  ],
  'a.cs': [
    'namespace N {\n  public class A {\n    public int F(int a) { return 1; }\n    public int P { get; set; }\n  }\n}\n',
    '1: namespace N',
    '2:   public class A',
    '3:     public int F(int a)',
    '4:     public int P { get; set; }',
  ],
  'a.rb': [
    'module M\n  class A < B\n    def f(a)\n      1\n    end\n    def self.g; end\n  end\nend\n',
    '1: module M',
    '2:   class A < B',
    '3:     def f(a)',
    '6:     def self.g',
  ],
  'a.php': [
    '<?php\nnamespace N;\nabstract class A extends B {\n  public function f(int $a): int { return 1; }\n}\nfunction g() {}\n',
    '2: namespace N',
    '3: abstract class A extends B',
    '4:   public function f(int $a): int',
    '6: function g()',
  ],
  'a.sh': ['f() {\n  echo x\n}\nfunction g { echo; }\n', '1: f()', '4: function g'],
  'a.json': ['{\n  "a": {\n    "b": 1\n  },\n  "c": [1]\n}\n', '2: a', '3:   b: 1', '5: c: [1]'],
  'a.yml': ['on: push\njobs:\n  test:\n    runs-on: x\n', '1: on: push', '2: jobs', '3:   test'],
  'a.html': [
    '<html><body>\n<h1>Title</h1>\n<div id="x"></div>\n</body></html>\n',
    '2: <h1>Title</h1>',
    '3: <div id="x">',
  ],
  'a.css': ['.a, .b { color: red }\n@media (x) { .c {} }\n', '1: .a, .b', '2: @media (x)', '2:   .c'],
}

/** What such files hold besides: constants, members, bindings of many kinds, and comments in the middle of signatures. */
const more: Readonly<Record<string, readonly [text: string, ...outline: string[]]>> = {
  'b.ts': [
    "export enum Color { Red = 'r' }\nexport interface Props { /* of it */ a: string }\nexport const A = 1, B = 2\nexport default class { m() {} }\nconst M = memo(function I(a: string) {})\nif (x) {\n  function inIf() {}\n}\n",
    "1: export enum Color { Red = 'r' }",
    '2: export interface Props { a: string }',
    '3: export const A',
    '3: B',
    '4: export default class',
    '4:   m()',
    '5: const M = memo(function I(a: string)',
    '7: function inIf()',
  ],
  'b.js': [
    'exports.a = function (x) {}\nmodule.exports = { b: (y) => 1, c(z) {} }\nA.prototype.d = () => 1\nclass C { h = () => 1 }\nthis.e = 1\n',
    '1: exports.a = function (x)',
    '2: b: (y)',
    '2: c(z)',
    '3: A.prototype.d = ()',
    '4: class C',
    '4:   h = ()',
  ],
  'b.py': [
    'LIMIT = 1\nname = 2\ntype T = int\nclass A:\n    x: int = 0\n    def f(\n        self,\n        url: str,  # where: it is\n    ) -> int: ...\ntry:\n    import x\nexcept ImportError:\n    def g(): ...\n',
    '1: LIMIT',
    '3: type T = int',
    '4: class A',
    '5:   x: int',
    '6:   def f( self, url: str, ) -> int',
    '13: def g()',
  ],
  'b.go': [
    'package a\nconst Max = 1\nvar (\n\tErr = f()\n\tg int\n)\ntype S struct {\n\ta int // first\n\tb string /* last */\n}\ntype ID = string\n',
    '2: const Max',
    '4: var Err',
    '5: var g int',
    '7: type S struct { a int; b string }',
    '11: type ID = string',
  ],
  'b.rs': [
    'pub const A: u8 = 1;\npub struct P(pub i32);\nenum E { X, Y(u8) }\ntrait T { const N: u32; type O; }\nextern "C" { fn abs(x: i32) -> i32; }\n',
    '1: pub const A: u8',
    '2: pub struct P(pub i32)',
    '3: enum E { X, Y(u8) }',
    '4: trait T',
    '4:   const N: u32',
    '4:   type O',
    '5: fn abs(x: i32) -> i32',
  ],
  'B.java': [
    'class B {\n  static final int M = 1, N = 2;\n  int own;\n}\nenum E { R; void m() {} }\nenum F { G, H }\n',
    '1: class B',
    '2:   static final int M',
    '2:   static final int N',
    '5: enum E',
    '5:   void m()',
    '6: enum F { G, H }',
  ],
  'b.c': [
    '#ifndef B_H\n#define B_H\n#define MAX 10\nextern int g, h;\nstatic const char *names[] = {"a"};\nenum c { R, G };\nint (*hook)(int);\n#endif\n',
    '3: #define MAX',
    '4: extern int g',
    '4: extern int h',
    '5: static const char *names[]',
    '6: enum c { R, G }',
    '7: int (*hook)(int)',
  ],
  'b.h': [
    '#pragma once\n#include <string>\nclass W : public B<int> {\npublic:\n  virtual int area() const = 0;\n  static constexpr int kMax = 1;\n};\n',
    '3: class W : public B<int>',
    '5:   virtual int area() const = 0',
    '6:   static constexpr int kMax',
  ],
  'c.h': [
    '#ifdef __cplusplus\nextern "C" {\n#endif\nint class(int template);\n#ifdef __cplusplus\n}\n#endif\n',
    '4: int class(int template)',
  ],
  'b.cs': [
    'class B {\n  public const int Max = 10;\n  int own;\n  public event E<T> Changed;\n  public T this[int i] => x;\n  public int Count => 1;\n  enum L { Low, High }\n}\n',
    '1: class B',
    '2:   public const int Max',
    '4:   public event E<T> Changed',
    '5:   public T this[int i]',
    '6:   public int Count',
    '7:   enum L { Low, High }',
  ],
  'b.rb': [
    'class B\n  MAX = 1\n  attr_reader :name, :size\n  class << self\n    def b(x); end\n  end\n  private def s; end\nend\n',
    '1: class B',
    '2:   MAX',
    '3:   attr_reader :name',
    '3:   attr_reader :size',
    '4:   class << self',
    '5:     def b(x)',
    '7:   def s',
  ],
  'b.php': [
    '<?php\nconst L = 1;\nclass A {\n  public const V = 1;\n}\nif (x) {\n  function m() {}\n}\n',
    '2: const L',
    '3: class A',
    '4:   const V',
    '7: function m()',
  ],
  'b.sh': ['readonly ROOT=/x\nA=1\n', '1: readonly ROOT'],
  'b.css': ['@layer b { h1 { a: b } }\n.p { &:hover { a: b } }\n', '1: @layer b', '1:   h1', '2: .p', '2:   &:hover'],
}

test.each(Object.entries(more))('%s', async (path, [text, ...expected]) => {
  expect(await outline(path, text)).toEqual(expected)
})

test('symbols knows them by their names', async () => {
  const names = async (path: string): Promise<string[] | undefined> =>
    (await code.outline(path, more[path]?.[0] ?? ''))?.map(({ name }) => name)
  expect(await names('b.ts')).toEqual(['Color', 'Props', 'A', 'B', 'default', 'm', 'M', 'inIf'])
  expect(await names('b.js')).toEqual(['a', 'b', 'c', 'd', 'C', 'h'])
  expect(await names('B.java')).toEqual(['B', 'M', 'N', 'E', 'm', 'F'])
  expect(await names('b.c')).toEqual(['MAX', 'g', 'h', 'names', 'c', 'hook'])
  expect(await names('b.cs')).toEqual(['B', 'Max', 'Changed', 'this', 'Count', 'L'])
  expect(await names('b.rb')).toEqual(['B', 'MAX', 'name', 'size', 'self', 'b', 's'])
})

test.each(Object.entries(cases))('%s', async (path, [text, ...expected]) => {
  expect(await outline(path, text)).toEqual(expected)
  expect(await code.problems(path, text)).toEqual([])
})

test('what was never closed has its line: a file in the middle of being edited', async () => {
  const typescript =
    'export function ok(a: number): number { return a }\nexport class Half {\n  method(a: string) {\n    if (a {\n  }\n  other(): void {}\nfunction last() { return 1\n'
  expect(await outline('a.ts', typescript)).toEqual([
    '1: export function ok(a: number): number',
    '2: export class Half',
    '3:   method(a: string)',
    '7:   function last()',
  ])
  const java = 'class A extends B {\n  private int n;\n  int f(int a) { return a; }\n  void g() {\n    if (n > '
  expect(await outline('A.java', java)).toEqual(['1: class A extends B', '3:   int f(int a)', '4:   void g()'])
  expect(
    await outline('a.rs', 'pub struct P { x: i32 }\nimpl P {\n    pub fn f(&self) -> i32 { 1 }\n    fn g('),
  ).toEqual(['1: pub struct P { x: i32 }', '2: impl P', '3:   pub fn f(&self) -> i32', '4:   fn g('])
})

test('of a file that is too long the beginning is outlined, and it says where it ends', async () => {
  const end = '… from here on it is not outlined: the file is too long'
  const definition = 'export function f(a: number) {\n  return a\n}\n'
  const many = await outline('a.ts', definition.repeat(2100))
  expect(many?.at(-2)).toBe('5998: export function f(a: number)')
  expect(many?.at(-1)).toBe(`5999: ${end}`)
  const long = await outline('a.ts', `${definition}// ${'x'.repeat(200)}\n`.repeat(10).concat(' '.repeat(2_100_000)))
  expect(long).toHaveLength(11)
  expect(long?.at(-1)).toContain(end)
  expect(
    (await outline('a.json', `{${Array.from({ length: 300 }, (_, n) => `"k${n}": ${n}`).join(',\n')}}`))?.at(-1),
  ).toBe(`201: ${end}`)
})

test('a language without a grammar has none', async () => {
  expect(await outline('a.zig', 'fn f() {}')).toBeUndefined()
})

test('deep nesting, endless lines and noise end', async () => {
  for (const text of ['['.repeat(50_000), `const a = ${'x('.repeat(20_000)}`, '\0\uffff{{{<<<'.repeat(5000)]) {
    for (const path of ['a.ts', 'a.py', 'a.json', 'a.html', 'a.cpp']) {
      expect(await code.outline(path, text)).toSatisfy((value) => value === undefined || Array.isArray(value))
      expect(await code.problems(path, text)).toSatisfy((value) => value === undefined || Array.isArray(value))
    }
  }
  expect(await outline('a.py', 'def f(): pass\n')).toEqual(['1: def f()'])
})
