import { chmodSync, existsSync, linkSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import iconv from 'iconv-lite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fingerprint, type ToolContext } from '../../tools/index.ts'
import { call, reasonOf, toolContext } from './support/context.ts'
import { type WorkTree, workTree } from './support/workspace.ts'

let tree: WorkTree
let context: ToolContext
beforeEach(async () => {
  tree = await workTree({ 'a.py': 'def a():\n    return 1\n\ndef b():\n    return 2\n' })
  context = toolContext(tree.workspace)
})
afterEach(() => tree.remove())

const edit = (args: object) => call(context, 'edit', args)
const bytes = (path: string): Buffer => readFileSync(`${tree.root}/${path}`)
const text = (path: string): string => bytes(path).toString()
const put = (path: string, content: string | Buffer): void => writeFileSync(`${tree.root}/${path}`, content)

describe('one text', () => {
  test('tells what changed, and shows both sides', async () => {
    const result = await edit({ path: './a.py', old: 'return 1', new: 'x = 1\n    return x' })
    expect(result.content).toBe('Changed a.py (6 lines, was 5).')
    expect(result.details).toMatchObject({ kind: 'change', path: 'a.py', after: text('a.py') })
  })
  test('mode, byte order mark, endings, missing final newline and encoding stay', async () => {
    put('dos.sh', '\ufeffa\r\nb\r\nc')
    chmodSync(`${tree.root}/dos.sh`, 0o755)
    expect((await edit({ path: 'dos.sh', old: 'b\nc', new: 'B\nx\nC' })).ok).toBe(true)
    expect(text('dos.sh')).toBe('\ufeffa\r\nB\r\nx\r\nC')
    expect(statSync(`${tree.root}/dos.sh`).mode & 0o777).toBe(0o755)
    const japanese = '// 設定ファイルを読み込みます。エラーが発生した場合は例外を投げます。\nconst x = 1\n'
    for (const encoding of ['shift_jis', 'utf-16le', 'utf-16be']) {
      put('e.ts', iconv.encode(japanese, encoding, { addBOM: encoding.startsWith('utf') }))
      expect((await edit({ path: 'e.ts', old: 'const x = 1', new: 'const x = "例外"' })).ok).toBe(true)
      expect(bytes('e.ts')).toEqual(
        iconv.encode(japanese.replace('x = 1', 'x = "例外"'), encoding, { addBOM: encoding.startsWith('utf') }),
      )
    }
  })
  test('a character that the encoding lacks is refused, and the file stays', async () => {
    const french = iconv.encode("# Le café est fermé à midi, l'été déjà passé.\nx = 1\n", 'latin1')
    put('f.py', french)
    const result = await edit({ path: 'f.py', old: 'x = 1', new: 'x = "✅"' })
    expect(reasonOf(result)).toBe('bad-arguments')
    expect(result.content).toContain('U+2705')
    expect(bytes('f.py')).toEqual(french)
  })
  test('a miss shows the nearest place, so that the next call can match', async () => {
    const result = await edit({ path: 'a.py', old: 'def b():\n  return 3', new: 'x' })
    expect(reasonOf(result)).toBe('no-match')
    expect(result.content).toContain('Nearest place, lines 4-5 of 5:\n4\tdef b():\n5\t    return 2')
    const shown = /file (".*?"),/.exec(result.content)![1]!
    expect((await edit({ path: 'a.py', old: JSON.parse(shown), new: '    return 3' })).ok).toBe(true)
  })
  test('says when the new text is there already', async () => {
    const result = await edit({ path: 'a.py', old: 'return 0', new: 'return 2' })
    expect(result.content).toContain('The new text is in the file already')
  })
  test('several matches are listed by line', async () => {
    const result = await edit({ path: 'a.py', old: 'return', new: 'yield' })
    expect(result.content).toContain('at lines 2, 5.')
    expect((await edit({ path: 'a.py', old: 'return', new: 'yield', all: true })).ok).toBe(true)
    expect(text('a.py')).toBe('def a():\n    yield 1\n\ndef b():\n    yield 2\n')
  })
  test('a lenient match is told', async () => {
    const result = await edit({ path: 'a.py', old: 'def b():\n\treturn 2', new: 'def b():\n\treturn 3' })
    expect(result.content).toContain('old matched but for indentation; new was indented like the file.')
    expect(text('a.py')).toContain('def b():\n    return 3\n')
  })
  test('failures leave bytes and time as they are', async () => {
    const { mtimeMs } = statSync(`${tree.root}/a.py`)
    const before = text('a.py')
    for (const args of [
      { path: 'a.py', old: 'nope', new: 'x' },
      { path: 'a.py', old: 'return', new: 'x' },
      { path: 'a.py', old: '', new: 'x' },
      { patch: '*** Begin Patch\n*** Update File: a.py\n@@\n-nope\n+x\n*** End Patch' },
    ]) {
      expect((await edit(args)).ok).toBe(false)
    }
    expect(text('a.py')).toBe(before)
    expect(statSync(`${tree.root}/a.py`).mtimeMs).toBe(mtimeMs)
  })
  test('links, hard links, git metadata and places outside are not written', async () => {
    symlinkSync('a.py', `${tree.root}/link.py`)
    put('h1', 'x\n')
    linkSync(`${tree.root}/h1`, `${tree.root}/h2`)
    expect(reasonOf(await edit({ path: 'link.py', old: 'return 1', new: 'x' }))).toBe('not-a-file')
    expect(reasonOf(await edit({ path: 'h1', old: 'x', new: 'y' }))).toBe('not-a-file')
    expect(reasonOf(await edit({ path: '.git/hooks/pre-commit', old: '', new: 'x' }))).toBe('denied')
    expect(reasonOf(await edit({ path: '../x', old: '', new: 'x' }))).toBe('outside')
    expect(text('h2')).toBe('x\n')
  })
})

test('a read-only file is not replaced behind its back', async () => {
  chmodSync(`${tree.root}/a.py`, 0o444)
  const result = await edit({ path: 'a.py', old: 'return 1', new: 'x' })
  expect(reasonOf(result)).toBe('io')
  expect(result.content).toBe('a.py is read-only (mode 444). Make it writable first: chmod u+w.')
  expect((await call(context, 'read', { path: 'a.py' })).ok).toBe(true)
})

describe('a file that changed since the model saw it', () => {
  beforeEach(() => {
    context = { ...context, seen: new Map() }
  })
  test('is refused once with a fresh excerpt', async () => {
    await call(context, 'read', { path: 'a.py' })
    put('a.py', text('a.py').replace('return 2', 'return 22'))
    const result = await edit({ path: 'a.py', old: 'return 2', new: 'return 3' })
    expect(reasonOf(result)).toBe('stale')
    expect(result.content).toContain('5\t    return 22')
    expect(text('a.py')).toContain('return 22')
    expect((await edit({ path: 'a.py', old: 'return 22', new: 'return 3' })).ok).toBe(true)
  })
  test('our own writes do not make it stale', async () => {
    await call(context, 'read', { path: 'a.py' })
    expect((await edit({ path: 'a.py', old: 'return 1', new: 'return 10' })).ok).toBe(true)
    expect((await edit({ path: 'a.py', old: 'return 2', new: 'return 20' })).ok).toBe(true)
    expect(context.seen!.get('a.py')).toBe(fingerprint(bytes('a.py')))
  })
  test('holds for write and for patches too', async () => {
    context.seen!.set('a.py', 'something else')
    expect(reasonOf(await call(context, 'write', { path: 'a.py', content: 'x' }))).toBe('stale')
    context.seen!.set('a.py', 'something else')
    const patch = '*** Begin Patch\n*** Update File: a.py\n@@\n-    return 1\n+    return 3\n*** End Patch'
    expect(reasonOf(await edit({ patch }))).toBe('stale')
    expect((await edit({ patch })).ok).toBe(true)
  })
})

describe('a patch', () => {
  test('changes many files, and tells each', async () => {
    chmodSync(`${tree.root}/a.py`, 0o755)
    put('old.txt', 'x\n')
    const result = await edit({
      patch:
        '*** Begin Patch\n*** Update File: a.py\n*** Move to: lib/b.py\n@@ def b():\n-    return 2\n+    return 3\n*** Delete File: old.txt\n*** Add File: n.txt\n+hi\n*** End Patch',
    })
    expect(result.content.split('\n').sort()).toEqual([
      'Deleted a.py.',
      'Deleted old.txt.',
      'Made lib/b.py (5 lines).',
      'Made n.txt (1 lines).',
    ])
    expect(result.details).toMatchObject({ kind: 'changes' })
    expect(existsSync(`${tree.root}/a.py`)).toBe(false)
    expect(statSync(`${tree.root}/lib/b.py`).mode & 0o777).toBe(0o755)
  })
  test('is refused whole, with all that is wrong', async () => {
    const result = await edit({
      patch:
        '*** Begin Patch\n*** Add File: n.txt\n+hi\n*** Update File: a.py\n@@\n-    return 9\n+x\n*** Delete File: nope.txt\n*** End Patch',
    })
    expect(result.content).toContain('The hunk of a.py was not found')
    expect(result.content).toContain('nope.txt was not found')
    expect(existsSync(`${tree.root}/n.txt`)).toBe(false)
  })
  test('a hunk that fits in two places is refused', async () => {
    put('t.txt', 'x = 1\ny\nx = 1\nz\n')
    const twice = (header: string) =>
      `*** Begin Patch\n*** Update File: t.txt\n${header}\n-x = 1\n+x = 2\n*** End Patch`
    const result = await edit({ patch: twice('@@') })
    expect(reasonOf(result)).toBe('many-matches')
    expect(result.content).toContain('at lines 1, 3.')
    expect((await edit({ patch: twice('@@ y') })).ok).toBe(true)
    expect(text('t.txt')).toBe('x = 1\ny\nx = 2\nz\n')
  })
  test('adds lines below an anchor', async () => {
    await edit({ patch: '*** Begin Patch\n*** Update File: a.py\n@@ def a():\n+    """A."""\n*** End Patch' })
    expect(text('a.py')).toMatch(/^def a\(\):\n {4}"""A\."""\n {4}return 1\n/)
  })
  test('cut off, it is not applied', async () => {
    const result = await edit({ patch: '*** Begin Patch\n*** Update File: a.py\n@@\n-    return 2\n+    return' })
    expect(reasonOf(result)).toBe('bad-arguments')
    expect(result.content).toContain('looks cut off')
  })
  test('CRLF of the file and text around unchanged lines stay', async () => {
    put('d.txt', 'one  \r\ntwo\r\nthree\r\n')
    await edit({ patch: '*** Begin Patch\n*** Update File: d.txt\n@@\n one\n-two\n+2\n+2b\n three\n*** End Patch' })
    expect(text('d.txt')).toBe('one  \r\n2\r\n2b\r\nthree\r\n')
  })
  test('as a unified diff, also with wrong numbers', async () => {
    const diff =
      'diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -90,2 +90,3 @@ def b():\n def b():\n-    return 2\n+    x = 2\n+    return x\n--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+hi\n\\ No newline at end of file\n'
    expect((await edit({ patch: diff })).ok).toBe(true)
    expect(text('a.py')).toContain('def b():\n    x = 2\n    return x\n')
    expect(text('new.txt')).toBe('hi')
  })
  test('as SEARCH/REPLACE blocks, with the path in the argument, above the block or above its fence', async () => {
    const block = (old: string, next: string) => `<<<<<<< SEARCH\n${old}\n=======\n${next}\n>>>>>>> REPLACE\n`
    expect((await edit({ path: 'a.py', patch: block('    return 1', '    return 10') })).ok).toBe(true)
    expect((await edit({ patch: `a.py\n${block('    return 2', '    return 20')}` })).ok).toBe(true)
    expect((await edit({ patch: `**a.py**\n\`\`\`python\n${block('def b():', 'def c():')}\`\`\`\n` })).ok).toBe(true)
    expect((await edit({ patch: `new.py\n${block('', 'x = 1')}` })).ok).toBe(true)
    expect(text('a.py')).toBe('def a():\n    return 10\n\ndef c():\n    return 20\n')
    expect(text('new.py')).toBe('x = 1\n')
    expect(reasonOf(await edit({ path: 'a.py', patch: '<<<<<<< SEARCH\nx\n>>>>>>> REPLACE' }))).toBe('bad-arguments')
  })
})

test('calls that run side by side all land', async () => {
  put('n.txt', Array.from({ length: 30 }, (_, i) => `line ${i};\n`).join(''))
  const results = await Promise.all(
    Array.from({ length: 30 }, (_, i) => edit({ path: 'n.txt', old: `line ${i};`, new: `LINE ${i};` })),
  )
  expect(results.every((result) => result.ok)).toBe(true)
  expect(text('n.txt')).toBe(Array.from({ length: 30 }, (_, i) => `LINE ${i};\n`).join(''))
})
