/** Problems, references, ranks, and outlines that are kept. */
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openCode } from '../../../tools/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'cachalot-code-'))
const code = openCode()
afterAll(async () => {
  await code.close()
  rmSync(folder, { recursive: true, force: true })
})

test('the line where a text cannot be read', async () => {
  const lineOf = async (path: string, text: string) => (await code.problems(path, text))?.[0]?.line
  expect(await lineOf('a.ts', 'const a = 1\nconst b = ;\nconst c = 3\n')).toBe(2)
  expect(await lineOf('a.go', 'package a\n\nfunc f() {\n\tx := \n}\n')).toBeGreaterThanOrEqual(4)
  expect(await lineOf('a.rs', 'fn f() {\n    let x = 1\n    let y = 2;\n}\n')).toBe(2)
  expect(await lineOf('a.java', 'class A {\n  int f( { return 1; }\n}\n')).toBe(2)
  expect(await lineOf('a.yaml', 'a: 1\nb: [1, 2\nc: 3\n')).toBeGreaterThanOrEqual(1)
})

test('a name is used where it is a name', async () => {
  const text = 'const foo = 1 // foo\nprint("foo", foo)\nfoobar()\n/* foo */ a.foo()\n'
  expect(await code.references('a.ts', text, 'foo')).toEqual([1, 2, 4])
  expect(await code.references('a.py', '# f\ndef f():\n  """f"""\nf()\n', 'f')).toEqual([2, 4])
})

test('files that others lean on rank higher', async () => {
  const root = join(folder, 'tree')
  mkdirSync(root)
  writeFileSync(join(root, 'core.ts'), 'export function central() {}\n')
  for (const n of [1, 2, 3]) writeFileSync(join(root, `user${n}.ts`), `function own${n}() { central() }\n`)
  const paths = ['core.ts', 'gone.ts', 'user1.ts', 'user2.ts', 'user3.ts']
  const ranks = await code.rank(root, paths)
  expect([...ranks].sort((a, b) => b[1] - a[1])[0]?.[0]).toBe('core.ts')
  expect([...ranks.values()].reduce((sum, rank) => sum + rank, 0)).toBeCloseTo(1)
})

test('outlines are kept by content, and a damaged one is made anew', async () => {
  const kept = join(folder, 'kept')
  const text = 'def one(): pass\n'
  const first = openCode({ folder: kept })
  const outline = await first.outline('a.py', text)
  await first.close()
  const [file] = readdirSync(kept)
  const path = join(kept, file!)
  expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(1)
  // What is in the file is what is given: a well-formed lie with a right digest would be, so the digest guards only against accidents.
  writeFileSync(path, readFileSync(path, 'utf8').replace('one', 'two'))
  appendFileSync(path, 'noise\n\0\n')
  const second = openCode({ folder: kept })
  expect(await second.outline('b.py', text)).toEqual(outline)
  await second.close()
  expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(4)
})

test('closed, it answers with nothing', async () => {
  const gone = openCode()
  await gone.close()
  expect(await gone.outline('a.py', 'def f(): pass\n')).toBeUndefined()
})
