import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fencedFile } from '../../agent/context/fence.ts'
import { filesNamed } from '../../agent/context/named.ts'
import { listTree } from '../../agent/context/outline.ts'
import { packTask } from '../../agent/context/pack.ts'
import { buildPrefix } from '../../agent/context/prefix.ts'
import { isSecret } from '../../agent/context/secrets.ts'
import { listFiles } from '../../agent/files.ts'
import { scriptedModel } from '../../engine/index.ts'
import { openWorkspace } from '../../sandbox/index.ts'
import { allTools } from '../../tools/index.ts'
import { perform, put, scratch, stage } from './support.ts'

const tree = {
  '.gitignore': 'ignored/\n',
  'README.md': '# r\n\n    def parse_date(s): ...\n',
  'src/page.ts': 'export function pageCount(n: number) {\n  return n\n}\nexport class Pager {}\n',
  'src/util/dates.py': 'def parse_date(s):\n    return s\n\nclass _Inner:\n    def go(self): pass\n',
  'src/util/twice.py': 'def parse_time(s):\n    return s\n',
  'lib/twice.py': 'def parse_time(s):\n    return s\n',
  'with space/a b.txt': 'x\n',
  'cmd/main.go': 'func (s *Server) Serve(x int) {}\nfunc helperFunc() {}\n',
  'lib.rs': 'pub fn do_it() {}\nstruct Thing;\n',
  'ignored/x.txt': 'x\n',
  '.env': 'KEY=1\n',
  'deploy/id_rsa': 'k\n',
}

async function named(task: string): Promise<string[]> {
  const root = scratch(tree)
  return filesNamed(task.replaceAll('$ROOT', root), await listFiles(root), openWorkspace(root))
}

describe('files that a task names', () => {
  test.each([
    ['Fix src/page.ts', ['src/page.ts']],
    ['Fix ./src/page.ts.', ['src/page.ts']],
    ['Look at `src/page.ts`, then "README.md"!', ['src/page.ts', 'README.md']],
    ['Fix @src/page.ts please', ['src/page.ts']],
    ['error in src/page.ts:12:5 and src/util/dates.py:3-9', ['src/page.ts', 'src/util/dates.py']],
    ['see $ROOT/src/page.ts:2', ['src/page.ts']],
    ['  File "src/util/dates.py", line 2, in parse', ['src/util/dates.py']],
    ['    at pageCount ($ROOT/src/page.ts:2:10)', ['src/page.ts']],
    ['Fix page.ts', ['src/page.ts']],
    ['Fix util/dates.py', ['src/util/dates.py']],
    ['Fix twice.py', []],
    ['Fix "with space/a b.txt"', ['with space/a b.txt']],
    ['Show ignored/x.txt', ['ignored/x.txt']],
    ['Fix the function pageCount', ['src/page.ts']],
    ['Make parse_date() accept None', ['src/util/dates.py']],
    ['Fix parse_time()', []],
    ['The class Pager is wrong', ['src/page.ts']],
    ['Serve() hangs', ['cmd/main.go']],
    ['rename do_it to run_it, and `Thing`', ['lib.rs']],
    ['Read https://example.org/src/page.ts', []],
    ['Read /etc/passwd and ../../etc/hosts', []],
    ['Show .env and deploy/id_rsa', []],
    ['and/or nothing. Really...', []],
    ['', []],
  ])('%s', async (task, expected) => {
    expect(await named(task)).toEqual(expected)
  })

  test('a link is not followed into a secret or out of the tree', async () => {
    const root = scratch({ '.env': 'KEY=1\n', 'a.txt': 'a\n' })
    symlinkSync('.env', join(root, 'settings.txt'))
    symlinkSync('/etc', join(root, 'etc'))
    const files = await listFiles(root)
    expect(await filesNamed('Read settings.txt, etc/passwd, a.txt', files, openWorkspace(root))).toEqual(['a.txt'])
  })

  test('hostile words do not break the search', async () => {
    const task = `${'`$' + '`'} \`a$b()\` ${'('.repeat(2000)} ${'x_'.repeat(5000)} \\ [a-( *+?{} \0`
    expect(await named(task)).toEqual([])
  })
})

test.each(['.env', 'x/.env.local', 'a/server.pem', 'id_ed25519', '.ssh/config', 'secrets.yaml', '.npmrc', 'x.tfstate'])(
  '%s is a secret',
  (path) => expect(isSecret(path)).toBe(true),
)
test.each(['.env.example', 'src/secrets.ts', 'id_rsa.pub', 'keyboard.ts', 'monkey.py', 'docs/env.md'])(
  '%s is none',
  (path) => expect(isSecret(path)).toBe(false),
)

test('a fence is longer than any in the text', () => {
  expect(fencedFile('a.py', 'x = 1')).toBe('a.py\n```python\nx = 1\n```')
  expect(fencedFile('a.md', '````js\n````\n')).toBe('a.md\n`````markdown\n````js\n````\n`````')
  expect(fencedFile('Makefile', '')).toBe('Makefile\n```\n```')
})

describe('the list of the tree', () => {
  test('few files are all there, without secrets', () => {
    expect(listTree(['a', 'b/c', '.env'])).toBe('a\nb/c')
    expect(listTree(['.env'])).toBeUndefined()
  })
  test('many become folders first, with counts, never more than 41 lines', () => {
    const files = Array.from({ length: 500 }, (_, index) => `src/m${index % 5}/f${index}.ts`)
    const list = listTree([...files, 'README.md'])
    expect(list).toBe([...[0, 1, 2, 3, 4].map((n) => `src/m${n}/ (100 files)`), 'README.md'].join('\n'))
    const flat = listTree(Array.from({ length: 100 }, (_, index) => `f${index}`))?.split('\n') ?? []
    expect(flat).toHaveLength(41)
    expect(flat.at(-1)).toBe('… and 60 more')
  })
})

describe('the packed task', () => {
  const small = { prompt: 'small', finishes: 'edits' } as const
  const options = (root: string, info: Parameters<typeof scriptedModel>[1] = small) => ({
    model: scriptedModel([], info),
    workspace: openWorkspace(root),
    shown: new Map<string, string>(),
    first: true,
  })

  const ten = Array.from({ length: 10 }, (_, n) => `line${n + 1} = ${n + 1}\n`).join('')

  test('of a file with a range, these lines alone: numbered and called a part, also where the whole was shown', async () => {
    const root = scratch({ 'src/ten.py': ten, 'b c.py': ten })
    const asked = options(root, { prompt: 'full' })
    const packed = await packTask('Look at @src/ten.py:3-4, please', { ...asked, first: false })
    const part =
      'src/ten.py, lines 3–4 of 10, a part, each line behind its number:\n```\n3\tline3 = 3\n4\tline4 = 4\n```\n\n'
    expect(packed.text).toBe(`${part}Look at @src/ten.py:3-4, please`)
    expect(packed.whole).toEqual([])
    const whole = await packTask('Look at src/ten.py', { ...asked, first: false })
    const shown = new Map(whole.whole.map(({ path, fingerprint }) => [path, fingerprint]))
    expect((await packTask('Look at @ten.py:3-4', { ...asked, first: false, shown })).text).toContain(part)
    const two = await packTask('@"b c.py":9-40 and @"b c.py":1-2', { ...asked, first: false })
    expect(two.text).toContain('b c.py, lines 1–2 of 10')
    expect(two.text).toContain('9\tline9 = 9\n10\tline10 = 10\n```')
    expect(two.text).not.toContain('line5')
  })

  test('a file is whole where it is named without a range, too, where one line is, or where no such lines are', async () => {
    const root = scratch({ 'ten.py': ten })
    const pack = (task: string) => packTask(task, options(root, { prompt: 'full' }))
    for (const task of ['@ten.py:3-4 in @ten.py', '@ten.py:7', '@ten.py:30-40', '@ten.py:4-3', '@ten.py:1-10'])
      expect((await pack(task)).whole.map(({ path }) => path)).toEqual(['ten.py'])
    expect((await pack('@ten.py:7')).text).toContain('ten.py, line 7 of 10, a part')
  })

  test('a small model gets the lines as it has to write them again', async () => {
    const packed = await packTask('Fix @ten.py:3-4', options(scratch({ 'ten.py': ten })))
    expect(packed.text).toBe(
      'ten.py, lines 3–4 of 10; write these again with your change, and no others:\n```python\nline3 = 3\nline4 = 4\n```\n\nFix @ten.py:3-4',
    )
    expect(packed.parts.map(({ text }) => text)).toEqual(['line3 = 3\nline4 = 4'])
  })

  test('one named file: path, fence, blank line, task, and nothing else', async () => {
    const root = scratch({ 'a.py': 'x = 1\n', 'b.py': 'y = 2\n' })
    const packed = await packTask('Set x to 2 in a.py.', options(root))
    expect(packed.text).toBe('a.py\n```python\nx = 1\n```\n\nSet x to 2 in a.py.')
    expect(packed.whole.map(({ path }) => path)).toEqual(['a.py'])
    const full = await packTask('Set x to 2 in a.py.', options(root, { prompt: 'full' }))
    expect(full.text).toBe('a.py\n```python\nx = 1\n```\n\nOther files of the work tree:\nb.py\n\nSet x to 2 in a.py.')
  })

  test('a test that only the output of its failure names is not shown to a small model, where other code is', async () => {
    const root = scratch({
      'calc.py': 'def half(n):\n    return n // 3\n',
      'test.py': 'from calc import half\n\ndef test_half():\n    assert half(4) == 2\n',
    })
    const failed = [
      ...[
        '_____________ test_half _____________',
        '',
        '    def test_half():',
        '>       assert half(4) == 2',
        'E       assert 1 == 2',
      ],
      ...[
        '',
        'test.py:4: AssertionError',
        '============= short test summary info =============',
        'FAILED test.py::test_half - assert 1 == 2',
      ],
    ].join('\n')
    const shown = async (task: string, prompt: 'small' | 'full') =>
      (await packTask(task, options(root, { prompt }))).whole.map(({ path }) => path)
    expect(await shown(`Mend this:\n\n${failed}`, 'small')).toEqual(['calc.py'])
    expect(await shown(`Mend this:\n\n${failed}`, 'full')).toEqual(['test.py', 'calc.py'])
    expect(await shown(`Add a test to test.py.\n\n${failed}`, 'small')).toEqual(['test.py', 'calc.py'])
    // Nothing else is named: better a test than nothing.
    expect(await shown(`Mend this:\n\n${failed.replaceAll('half', 'third')}`, 'small')).toEqual(['test.py'])
  })

  test('no file named: the tree, then the task', async () => {
    const root = scratch({ 'a.py': 'x = 1\n', '.env': 'K=1\n' })
    expect((await packTask('Do it', options(root))).text).toBe('Files of the work tree:\na.py\n\nDo it')
    expect((await packTask('Do it', options(scratch()))).text).toBe('Do it')
  })

  test('what does not fit is shown in part and is not in play; binaries are not shown', async () => {
    const root = scratch({ 'big.txt': 'line of text\n'.repeat(5000), 'also.txt': 'x\n' })
    writeFileSync(join(root, 'x.bin'), Buffer.from([1, 0, 2]))
    const packed = await packTask('Fix big.txt, also.txt, x.bin', options(root, { ...small, contextTokens: 4096 }))
    expect(packed.whole).toEqual([])
    expect(packed.text).toMatch(/^big\.txt, lines 1–\d+ of 5000; /)
    expect(packed.text).toContain('also.txt is not shown: no room')
    expect(packed.text).not.toContain('x.bin\n```')
    expect(packed.text.length).toBeLessThan(4096 * 0.3 * 4)
  })

  test('the same tree and task give the same bytes, whatever the order files were made in', async () => {
    const one = scratch({ 'b/x.py': 'def f_one(): pass\n', 'a.py': 'x\n' })
    const other = scratch({ 'a.py': 'x\n', 'b/x.py': 'def f_one(): pass\n' })
    const task = 'Fix f_one() and a.py'
    const first = await packTask(task, options(one, { prompt: 'full' }))
    expect(await packTask(task, options(other, { prompt: 'full' }))).toEqual(first)
  })

  test('a carriage return or a byte-order mark is not shown', async () => {
    const root = scratch({ 'a.txt': '\uFEFFone\r\ntwo\r\n' })
    expect((await packTask('a.txt', options(root))).text).toBe('a.txt\n```txt\none\ntwo\n```\n\na.txt')
  })
})

describe('the prefix', () => {
  const build = (root: string, prompt: 'full' | 'small', appendSystem?: string) =>
    buildPrefix({
      info: scriptedModel([], { prompt }).info,
      tools: allTools,
      workspace: openWorkspace(root),
      instructions: true,
      appendSystem,
    })

  test('holds nothing of the place or the time, and AGENTS.md only as untrusted words', async () => {
    const root = scratch({ 'AGENTS.md': 'Use tabs.\n````\n' })
    const [system, instructions, ...rest] = await build(root, 'full', 'Answer in German.')
    expect(rest).toEqual([])
    expect(JSON.stringify(system)).not.toContain(root)
    expect(JSON.stringify(system)).not.toContain('tabs')
    expect(instructions?.messages).toMatchObject([{ role: 'user', text: expect.stringMatching(/tabs[\s\S]*German/) }])
    expect(await build(scratch(), 'full')).toEqual([system])
  })

  test('is short: our words for a small model are under 100 tokens, for a full one under 400', async () => {
    for (const [prompt, most] of [
      ['small', 100],
      ['full', 400],
    ] as const) {
      const [system] = await build(scratch(), prompt)
      const message = system?.messages[0]
      expect(message?.role === 'system' && message.text.length / 4).toBeLessThan(most)
      expect(message?.role === 'system' && message.text).not.toMatch(/\b\w+\.(py|ts|js|txt)\b/)
    }
  })

  test('cuts long instructions at a line', async () => {
    const root = scratch({ 'AGENTS.md': 'a rule\n'.repeat(2000) })
    const text = JSON.stringify((await build(root, 'small'))[1])
    expect(text.length).toBeLessThan(2600)
    expect(text).toContain('a rule\\n[… the rest is left out]')
  })
})

test('a later task shows a file again only when it has changed', async () => {
  const at = await stage([{ text: 'one' }, { text: 'two' }, { text: 'three' }], { files: { 'a.py': 'x = 1\n' } })
  await perform(at, 'What is a.py?')
  await perform(at, 'And what else is in a.py?')
  put(at.root, { 'a.py': 'x = 2\n' })
  await perform(at, 'And now in a.py?')
  const users = at.model.requests.at(-1)?.messages.flatMap((message) => (message.role === 'user' ? [message.text] : []))
  expect(users?.[1]).toBe('And what else is in a.py?')
  expect(users?.[2]).toContain('x = 2')
})

test('an edit of a file that changed since it was shown is refused, so that nobody’s work is lost', async () => {
  const write = { name: 'write', arguments: { path: 'a.py', content: 'mine\n' } }
  const at = await stage(
    () => {
      put(at.root, { 'a.py': 'theirs\n' })
      return { calls: [write] }
    },
    { files: { 'a.py': 'x = 1\n' }, limits: { steps: 1, tokens: 1000, seconds: 10 } },
  )
  const { events } = await perform(at, 'Rewrite a.py')
  expect(events.find(({ type }) => type === 'tool-result')).toMatchObject({ result: { details: { reason: 'stale' } } })
})

test('a folder without any file is no error', async () => {
  const root = scratch()
  mkdirSync(join(root, 'empty'))
  expect(await listFiles(root)).toEqual([])
})
