/** What files import, hostile ones among them. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { brokenData } from '../../../src/fix/broken-data.ts'
import { importsOf, textOf } from '../../../src/fix/imports.ts'
import { failingTests } from '../../../src/fix/test-blocks.ts'

function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'cachalot-imports-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

test('statements of JavaScript and TypeScript in all their forms', () => {
  const root = tree({
    'a.ts': [
      "import one from './lib/one.js'",
      "import type { Two } from './lib/two.ts'",
      "import {\n  three,\n  four as five,\n} from './lib'",
      "export * from './lib/one.ts'",
      "const { six, seven: eight } = await import('./lib/six.mjs')",
      "const nine = require( './lib/six.mjs' )",
      "import './lib/two.ts'",
      "import gone from './lib/gone.js'",
    ].join('\n'),
    'lib/one.ts': '',
    'lib/two.ts': '',
    'lib/six.mjs': '',
    'lib/index.ts': '',
  })
  expect(importsOf('a.ts', root)).toEqual([
    { path: 'lib/one.ts', names: ['one'] },
    { path: 'lib/two.ts', names: ['Two'] },
    { path: 'lib/index.ts', names: ['three', 'five'] },
    { path: 'lib/one.ts', names: ['*'] },
    { path: 'lib/six.mjs', names: ['six', 'eight'] },
    { path: 'lib/six.mjs', names: ['nine'] },
    { path: 'lib/two.ts', names: [] },
  ])
})

test('a link that leads out of the work tree has no text, and is quoted nowhere', () => {
  const outside = tree({ 'secret.test.js': 'the secret\n' })
  const root = tree({ 'src/own.js': 'own\n' })
  mkdirSync(join(root, 'test'))
  symlinkSync(join(outside, 'secret.test.js'), join(root, 'test/a.test.js'))
  symlinkSync('../src/own.js', join(root, 'test/b.test.js'))
  expect(textOf(root, 'test/a.test.js')).toBe('')
  expect(textOf(root, 'test/b.test.js')).toBe('own\n')
  expect(JSON.stringify(failingTests([{ path: 'test/a.test.js', line: 1, message: '' }], root))).not.toContain(
    'secret\n',
  )
})

test('of a test whose lines are as long as its file a part is quoted, quickly', () => {
  const began = performance.now()
  const names = Array.from({ length: 8000 }, (_, i) => `a${i} = 1`).join('\n')
  const root = tree({ 'test/a.test.js': `${names}\n\n${'x'.repeat(150_000)}\n` })
  const complaints = Array.from({ length: 10 }, (_, i) => ({
    path: 'test/a.test.js',
    line: 8002 + (i % 2),
    message: '',
  }))
  const [told] = failingTests(complaints, root)
  expect(told?.text.length).toBeLessThan(15_000)
  expect(performance.now() - began).toBeLessThan(5000)
})

test('runs of spaces and lines take no time', () => {
  const began = performance.now()
  for (const text of [
    `import${' '.repeat(100_000)}x`,
    'import '.repeat(30_000),
    `const ${' ,'.repeat(60_000)}`,
    `from a import ${' '.repeat(100_000)}(`,
    '\n'.repeat(200_000),
  ]) {
    const root = tree({ 'a.js': text, 'b.py': text, 'c.json': text })
    for (const path of ['a.js', 'b.py']) expect(importsOf(path, root)).toEqual([])
    brokenData('JSON', root, ['a.js'])
  }
  expect(performance.now() - began).toBeLessThan(5000)
})
