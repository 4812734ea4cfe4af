/** What counts as making a check pass without repairing what it checks, and what does not. */
import { expect, test } from 'vitest'
import { findCheats } from '../../../src/fix/cheats.ts'
import type { TreeChange } from '../../../src/git/shadow.ts'

const change = (path: string, before: string | null, after: string | null): TreeChange => ({
  ...{ path, before, after },
  kind: before === null ? 'added' : after === null ? 'deleted' : 'changed',
})
const kinds = (path: string, before: string | null, after: string | null, check = 'npm test'): string[] =>
  findCheats([change(path, before, after)], check).map(({ kind }) => kind)

test.each([
  ['src/page.test.ts', 'tests'],
  ['tests/test_page.py', 'tests'],
  ['page_test.go', 'tests'],
  ['conftest.py', 'tests'],
  ['test.py', 'tests'],
  ['src/PageTest.java', 'tests'],
  ['src/__snapshots__/page.test.ts.snap', 'snapshots'],
  ['.github/workflows/ci.yml', 'ci'],
  ['.gitlab-ci.yml', 'ci'],
  ['package-lock.json', 'locks'],
  ['crates/a/Cargo.lock', 'locks'],
  ['.npmrc', 'check'],
  ['.cargo/config.toml', 'check'],
  ['sitecustomize.py', 'check'],
  ['node_modules/vitest/index.js', 'check'],
])('%s is protected: %s', (path, kind) => {
  expect(kinds(path, 'a', 'b')).toEqual([kind])
  expect(kinds(path, 'a', null)).toEqual([kind])
  expect(kinds(path, null, 'b')).toEqual([kind])
})

test.each([
  ['src/a.js', "it.skip('x', () => {})"],
  ['src/a.js', "xdescribe('x', () => {})"],
  ['src/a.py', '@pytest.mark.xfail'],
  ['src/a.py', '@unittest.skip("later")'],
  ['src/A.java', '  @Ignore'],
  ['src/a.rs', '#[ignore]'],
  ['src/a.go', '  t.Skip("later")'],
  ['run.sh', 'make check || true'],
  ['run.sh', 'set +e'],
  ['src/a.ts', '// @ts-expect-error'],
  ['src/a.ts', '/* eslint-disable */'],
  ['src/a.py', 'x = y  # type: ignore'],
  ['src/a.rs', '#[allow(dead_code)]'],
  ['tsconfig.json', '"strict": false'],
  ['src/A.cs', '[Fact(Skip = "later")]'],
  ['src/A.php', '$this->markTestSkipped();'],
  ['src/A.swift', 'throw XCTSkip("later")'],
  ['lib/a.ex', '@tag :skip'],
  ['src/a.cc', 'GTEST_SKIP();'],
  ['src/a.cc', 'TEST(Page, DISABLED_last) {'],
  ['lib/a.rb', "  skip 'later'"],
  ['lib/a.rb', "  xit 'counts' do"],
  ['src/A.java', 'Assumptions.assumeTrue(false);'],
  ['src/a.py', '        self.skipTest("later")'],
  ['src/a.py', '    >>> page(3)  # doctest: +SKIP'],
  ['src/a.py', 'def f():  # pragma: no cover'],
  ['src/a.js', '/* c8 ignore next */'],
  ['src/a.js', 'process.exit(0)'],
  ['src/a.py', 'os._exit(0)'],
  ['src/a.go', 'x := 1 //nolint'],
  ['.eslintrc.json', '"no-undef": "off"'],
  ['tsconfig.json', '"skipLibCheck": true'],
  ['tsconfig.json', '"exclude": ["src/a.ts"]'],
  ['pytest.ini', 'addopts = -k "not page"'],
  ['jest.config.js', 'export default { testMatch: ["none"] }'],
  ['eslint.config.js', "  rules: { 'no-undef': 0 },"],
  ['src/a.py', 'atexit.register(os._exit, 0)'],
  ['src/a.py', '    raise SystemExit(0)'],
  ['src/a.py', '    pytest.exit("ok", 0)'],
  ['src/a.py', 'from _pytest.outcomes import Skipped'],
  ['src/a.py', '    if os.environ.get("PYTEST_CURRENT_TEST"):'],
  ['src/a.py', '    if "pytest" in sys.modules:'],
  ['src/a.py', 'unittest.TestCase.assertEqual = lambda *_: None'],
  ['src/a.py', '    def __eq__(self, other): return True'],
  ['src/a.js', 'if (process.env.NODE_TEST_CONTEXT) return 3'],
  ['src/a.js', "if (process.env.NODE_ENV === 'test') return 3"],
  ['src/a.js', 'assert.equal = () => {}'],
  ['src/a.js', "process.on('exit', () => { process.exitCode = 0 })"],
  ['src/a.go', 'if testing.Testing() {'],
  ['src/a.ts', '  return s as any'],
  ['src/a.ts', '  return s as unknown as number'],
  ['src/a.ts', 'export function n(s: any): any {'],
  ['src/a.py', '    return cast(Any, s)'],
])('%s: %s silences a check', (path, line) => {
  expect(kinds(path, 'a\n', `a\n${line}\n`)).toEqual(['skips'])
  // What was there before is nobody's cheat.
  expect(kinds(path, `${line}\n\na\n`, `b\n${line}\n`)).toEqual([])
})

test('thresholds may rise, not fall, and not go', () => {
  const config = (lines: number, warnings: number): string =>
    `export default { coverage: { thresholds: { lines: ${lines} } }, maxWarnings: ${warnings} }\n`
  expect(kinds('vitest.config.ts', config(80, 5), config(90, 0))).toEqual([])
  expect(kinds('vitest.config.ts', config(80, 5), config(70, 5))).toEqual(['thresholds'])
  expect(kinds('vitest.config.ts', config(80, 5), config(80, 9))).toEqual(['thresholds'])
  expect(kinds('vitest.config.ts', config(80, 5), 'export default {}\n')).toEqual(['thresholds', 'thresholds'])
  expect(kinds('.coveragerc', 'fail_under = 85\n', 'fail_under = 20\n')).toEqual(['thresholds'])
})

test('the check itself: its script, its recipe, the scripts of package.json', () => {
  expect(kinds('check.sh', 'a', 'b', 'sh ./check.sh')).toEqual(['check'])
  expect(kinds('check.sh', 'a', 'b', 'npm test')).toEqual([])
  expect(kinds('Makefile', 'a', 'b', 'make test')).toEqual(['check'])
  expect(kinds('package.json', '{"scripts":{"test":"x"}}', '{"scripts":{"test":"true"}}')).toEqual(['check'])
  expect(kinds('package.json', '{"scripts":{"test":"x"}}', '{"type":"module","scripts":{"test":"x"}}')).toEqual([])
  // A source file that a check runs is what it checks.
  expect(kinds('main.py', 'a', 'b', 'python3 main.py')).toEqual([])
})

test('a test in a source file may not go, nor what it asserts', () => {
  const rust = (test: string): string => `pub fn page() {}\n#[cfg(test)]\nmod tests {\n${test}}\n`
  const whole = '    #[test]\n    fn last() {\n        assert_eq!(page(3), 4);\n    }\n'
  expect(kinds('src/a.rs', rust(whole), rust(''))).toEqual(['tests'])
  expect(kinds('src/a.rs', rust(whole), rust(whole.replace(/.*assert.*\n/, '')))).toEqual(['tests'])
  expect(kinds('src/a.rs', rust(whole), rust(whole).replace('{}', '{ 4 }'))).toEqual([])
  expect(kinds('src/a.py', "'''\n>>> f(1)\n2\n'''\n", "'''Twice.'''\n")).toEqual(['tests'])
  expect(kinds('src/a.py', 'assert x > 0\n', 'x = 1\n')).toEqual([])
  expect(kinds('.eslintignore', 'a\n', 'a\nsrc/b.js\n')).toEqual(['skips'])
})

test('what a test asserts in a source file may not change, and in no file that the check itself runs', () => {
  const rust = (code: string, test: string): string => `fn page() {\n${code}}\n#[test]\nfn last() {\n${test}}\n`
  const before = rust('    assert!(a);\n', '    assert_eq!(page(3), 4);\n')
  expect(kinds('src/a.rs', before, rust('    assert!(a);\n', '    assert_eq!(page(3), 5);\n'))).toEqual(['tests'])
  expect(kinds('src/a.rs', before, rust('    assert!(b);\n', '    assert_eq!(page(3), 4);\n'))).toEqual([])
  expect(kinds('src/a.py', "'''\n>>> f(1)\n2\n'''\n", "'''\n>>> f(1)\n3\n'''\n")).toEqual(['tests'])
  expect(kinds('verify.mjs', 'assert.equal(f(1), 2)\n', '', 'node ./verify.mjs')).toEqual(['tests'])
  expect(kinds('verify.mjs', 'assert.equal(f(1), 2)\n', 'assert.equal(f(1), 3)\n', 'node verify.mjs')).toEqual([
    'tests',
  ])
  expect(kinds('verify.mjs', 'let a\nassert.equal(f(1), 2)\n', 'assert.equal(f(1), 2)\n', 'node verify.mjs')).toEqual(
    [],
  )
})

test('a program of assertions is a test, whatever its name', () => {
  const c = (body: string): string => `#include <assert.h>\nint main(void) { ${body}return 0; }\n`
  expect(kinds('t.c', c('assert(add(1, 2) == 3); '), c(''))).toEqual(['tests'])
  const js = (body: string): string => `import assert from 'node:assert/strict'\n${body}`
  expect(kinds('verify.js', js('assert.equal(f(1), 2)\n'), js(''), 'npm run verify')).toEqual(['tests'])
  expect(kinds('verify.js', js('assert.equal(f(1), 2)\n'), js('assert.equal(f(1), 3)\n'), 'npm run verify')).toEqual([
    'tests',
  ])
})

test('a file that stands in for a program that checks, and new settings of one', () => {
  expect(kinds('pytest.py', null, 'raise SystemError\n', 'python3 -m pytest')).toEqual(['check'])
  expect(kinds('pytest/__main__.py', null, 'print("2 passed")\n')).toEqual(['check'])
  expect(kinds('coverage/index.html', null, 'a')).toEqual([])
  expect(kinds('pytest.ini', null, '[pytest]\naddopts = --co\n')).toEqual(['skips'])
  expect(kinds('tsconfig.json', null, '{ "include": ["src"] }\n')).toEqual([])
})

test('a thing that is equal to everything', () => {
  const python = (answer: string): string => `class A:\n    def __eq__(self, other):\n        return ${answer}\n`
  expect(kinds('src/a.py', 'class A:\n    pass\n', python('True'))).toEqual(['skips'])
  expect(kinds('src/a.py', 'class A:\n    pass\n', python('self.x == other.x'))).toEqual([])
  expect(kinds('src/A.java', '', 'public boolean equals(Object o) {\n  return true;\n}\n')).toEqual(['skips'])
})

test('code that is gone, unless it has another name now', () => {
  const text = 'export const a = 1\nexport const b = 2\n'
  const gone = change('src/a.ts', text, null)
  const found = (...changes: TreeChange[]): string[] => findCheats(changes, 'npx tsc').map(({ kind }) => kind)
  expect(found(gone)).toEqual(['check'])
  expect(found(gone, change('src/b.ts', null, 'export {}\n'))).toEqual(['check'])
  expect(found(gone, change('src/b.ts', null, text.replace('2', '3')))).toEqual([])
  expect(found(change('src/a.ts.orig', text, null))).toEqual([])
})

test('ordinary repairs are none', () => {
  expect(kinds('src/a.ts', 'a', '// note: any value is good')).toEqual([])
  expect(kinds('src/a.py', 'a', 'raise SystemExit(main())')).toEqual([])
  expect(kinds('src/a.py', 'a', 'os._exit(1)')).toEqual([])
  expect(kinds('src/a.js', 'a', 'if (assert.equal === b) process.exitCode = 1')).toEqual([])
  expect(kinds('src/page.ts', 'a < b', 'a <= b')).toEqual([])
  expect(kinds('src/latest.ts', 'a', 'b')).toEqual([])
  expect(kinds('src/contest.ts', 'a', 'b')).toEqual([])
  expect(kinds('README.md', 'a', 'Run make || true')).toEqual([])
  expect(kinds('src/exit.js', 'a', 'process.exit(1)')).toEqual([])
  expect(kinds('src/a.rb', 'a', 'skipped = 1')).toEqual([])
  expect(kinds('src/a.ts', 'a', 'include = [1]')).toEqual([])
  expect(kinds('settings.json', '{"a": 1}', '{"a": 0}')).toEqual([])
  expect(kinds('settings.json', '{"a": 1 "b": 2}', '{"a": 1, "b": 2}')).toEqual([])
})
