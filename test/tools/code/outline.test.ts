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
    '2: S struct { a int }',
    '3: I interface { M() int }',
    '3:   M() int',
    '4: func (s *S) F(a int) (int, error)',
  ],
  'a.rs': [
    'pub struct S<T> { a: T }\nimpl<T> S<T> {\n  pub fn f(&self) -> i32 { 1 }\n}\nmod m { fn x() {} }\n',
    '1: pub struct S<T>',
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
    '5:     void m();',
  ],
  'a.c': [
    'struct S { int a; };\nstatic int *f(int a, char *b) { return 0; }\nint g(void);\n#define X(a) a\nstruct S s;\n',
    '1: struct S',
    '2: static int *f(int a, char *b)',
    '3: int g(void);',
    '4: #define X(a) a',
  ],
  'a.cpp': [
    'namespace n {\nclass A : public B {\npublic:\n  int f(int a) const { return 1; }\n  void g();\n  int x;\n};\ntemplate <typename T> T h(T a) { return a; }\n}\nint n::A::k() { return 2; }\n',
    '1: namespace n',
    '2:   class A : public B',
    '4:     int f(int a) const',
    '5:     void g();',
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
    '6:     def self.g; end',
  ],
  'a.php': [
    '<?php\nnamespace N;\nabstract class A extends B {\n  public function f(int $a): int { return 1; }\n}\nfunction g() {}\n',
    '2: namespace N;',
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
  'a.css': ['.a, .b { color: red }\n@media (x) { .c {} }\n', '1: .a, .b', '2: @media (x)'],
}

test.each(Object.entries(cases))('%s', async (path, [text, ...expected]) => {
  expect(await outline(path, text)).toEqual(expected)
  expect(await code.problems(path, text)).toEqual([])
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
