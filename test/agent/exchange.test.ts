/** One word in the place of another everywhere: done letter by letter, without asking a small model. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exchangeIn } from '../../agent/context/exchange.ts'
import { stepPlan, timesIn } from '../../agent/context/steps.ts'
import { openWorkspace } from '../../sandbox/index.ts'
import { has, performNoticed, put, type Stage, sandboxWorks, scratch, stage, text } from './support.ts'

const small = { finishes: 'edits', prompt: 'small' } as const
const task = 'Rename find_app to find_it everywhere'
const long = (name: string): string =>
  [`def ${name}():`, ...Array.from({ length: 500 }, (_, i) => `    x${i} = ${i}`), `    return ${name}()`, ''].join(
    '\n',
  )

const perform = (at: Stage, words = task) => performNoticed(at, words)

test('every place of the word, in long files, docs, strings and tests; no other letter', async () => {
  const files = {
    'bom.txt': '\ufefffind_app\n',
    'cli.py': long('find_app'),
    'docs/use.md':
      'Call `find_app()`, not find_app_by_string. "find_app" is quoted.\r\nSee test_find_app and find_apps.\r\n',
    'tests/test_it.py': 'from cli import find_app\nx.find_app = 1\nfind_app_by_string = find_app',
    'find_app.txt': 'nothing\n',
  }
  const at = await stage([], { files, info: small })
  const result = await perform(at)
  expect(result).toMatchObject({ exit: 'done', steps: 0, text: 'find_app is find_it now, 8 times in 4 files.' })
  expect(at.model.requests).toEqual([])
  for (const [path, was] of Object.entries(files)) {
    expect(text(at.root, path)).toBe(was.replace(/(?<!\w)find_app(?!\w)/g, 'find_it'))
  }
  const changed = ['bom.txt', 'cli.py', 'docs/use.md', 'tests/test_it.py']
  expect(result.changes.map(({ path }) => path)).toEqual(changed)
  expect(result.notices).toEqual([
    `find_app stands in 4 files: ${changed.join(', ')}. It becomes find_it there, letter by letter; the model is not asked.`,
  ])
})

test('files of any name, but for those whose name is more than a line', async () => {
  const odd = ['é "q".txt', 'a b.py', "it's $HOME.md", 'back\\slash', '本/🐋.py', '"quoted"', '-- x']
  const control = ['a\ttab.txt', 'two\nlines.txt']
  const at = await stage([], {
    files: Object.fromEntries([...odd, ...control].map((n) => [n, 'find_app = 1\n'])),
    info: small,
  })
  const result = await perform(at)
  for (const name of odd) expect(`${name}: ${text(at.root, name)}`).toBe(`${name}: find_it = 1\n`)
  for (const name of control) expect(text(at.root, name)).toBe('find_app = 1\n')
  expect(result).toMatchObject({ exit: 'not-done' })
  expect(result.text).toContain('"a\\ttab.txt", which has a control character in its name')
  expect(result.text).toContain('"two\\nlines.txt"')
})

test('what follows is told of it in a line', async () => {
  const at = await stage([{ text: 'It was renamed.' }], { files: { 'cli.py': long('find_app') }, info: small })
  await perform(at)
  expect(await perform(at, 'What was done?')).toMatchObject({ exit: 'done', text: 'It was renamed.' })
  const told = JSON.stringify(at.model.requests[0]?.messages)
  expect(told).toContain('find_app is find_it now, 2 times in 1 file.')
  expect(told).not.toContain('x250')
  await perform(at, 'Rename find_it to find_app everywhere')
  expect(text(at.root, 'cli.py')).toBe(long('find_app'))
})

test('all of it, or nothing: a file that may not be written, a no, a check that fails', async () => {
  const files = { 'a.py': 'find_app = 1\n', 'b.py': 'from a import find_app\n' }
  const shut = await stage([], { files, info: small })
  chmodSync(join(shut.root, 'b.py'), 0o444)
  const refused = await perform(shut)
  expect(refused).toMatchObject({ exit: 'not-done', changes: [] })
  expect(refused.text).toContain('b.py is read-only')
  expect(text(shut.root, 'a.py')).toBe(files['a.py'])

  const asked = await stage([], {
    ...{ files, info: small, asksBefore: ({ kind }) => kind === 'write' },
    approve: async ({ preview }) => ({ allow: false, reason: `not these ${preview.length}` }),
  })
  const denied = await perform(asked)
  expect(denied).toMatchObject({ exit: 'denied', changes: [] })
  expect(denied.text).toContain('not these 2')

  const check = 'grep -q find_app a.py'
  const checked = await stage([], { files, info: small, mode: 'full-access', checks: { check } })
  expect(await perform(checked)).toMatchObject({ exit: 'not-done', changes: [] })
  expect(text(checked.root, 'b.py')).toBe(files['b.py'])
})

test.runIf(has('python3'))(
  'examples that were wrong before stay wrong, and are no fault of a rename; others must hold',
  async () => {
    const source =
      'def find_app():\n    """Says it.\n\n    >>> find_app()\n    "find_app 2"\n    """\n    return NAME\n'
    const files = { 'a.py': `NAME = 1\n\n\n${source}` }
    const at = await stage([], { files, info: small })
    const result = await perform(at)
    expect(result).toMatchObject({ exit: 'done' })
    expect(text(at.root, 'a.py')).toBe(files['a.py'].replaceAll('find_app', 'find_it'))
    // A name that another text makes, too: what held does not any more.
    const held = {
      'a.py':
        'def find_app():\n    """\n    >>> find_app()\n    True\n    """\n    return "find" + "_app" in globals()\n',
    }
    const broken = await stage([], { files: held, info: small })
    expect(await perform(broken)).toMatchObject({ exit: 'not-done' })
  },
)

test('examples are those of the new name', async () => {
  const files = {
    'm.py': 'def twice_of(n):\n    """\n    >>> twice_of(2)\n    4\n    """\n    return n * 2\n',
    'u.js': '// twice_of(2) -> 4\nexport function twice_of(n) {\n  return n * 2\n}\n',
  }
  const at = await stage([], { files, info: small })
  const result = await perform(at, 'Rename twice_of to double_of everywhere')
  expect(result).toMatchObject({ exit: 'done' })
  if (has('python3') && (await sandboxWorks()))
    expect(result.checks).toContainEqual({ name: 'examples', passed: true, detail: '2 of 2' })
})

test('what else may have the name is told', async () => {
  const files = {
    'a.go':
      'import (\n\t"net/http"\n\t"x/gin"\n)\n\nfunc f(h http.FooFunc) gin.FooFunc {\n\treturn http.FooFunc(g.FooFunc)\n}\n',
  }
  const at = await stage([], { files, info: small })
  const result = await perform(at, 'Rename FooFunc to BarFunc everywhere')
  expect(result.notices.join('\n')).toContain(
    'FooFunc is also what something else has: http.FooFunc (2), gin.FooFunc (1). There it became BarFunc, too.',
  )
  expect(text(at.root, 'a.go')).toBe(files['a.go'].replaceAll('FooFunc', 'BarFunc'))
})

test('a new name that stands there already, a plain word, and what is left out are told', async () => {
  const files = { 'a.py': 'load = 1\nread = 2\n', '.env': 'load=1\n' }
  const at = await stage([], { files, info: small })
  writeFileSync(join(at.root, 'wide.txt'), Buffer.from('\ufeffload', 'utf16le'))
  const result = await perform(at, 'Rename load to read everywhere')
  expect(result.exit).toBe('not-done')
  expect(result.text).toBe(
    'load still stands in .env, which holds secrets, wide.txt, which is no UTF-8 text. Change it by hand.',
  )
  expect(result.notices.join('\n')).toContain('load is a plain word')
  expect(result.notices.join('\n')).toContain('read stands in a.py already')
  expect(text(at.root, 'a.py')).toBe('read = 1\nread = 2\n')
  expect(text(at.root, '.env')).toBe(files['.env'])
})

test('only where the task wants it, and as names are written there', async () => {
  const all = {
    'docs/a.md': 'a_b\n',
    'lib/$.js': '$a_b; a_b\n',
    'src/a.js': 'a_b()\n',
    'test/a.js': 'a_b()\n',
    'x.sh': 'echo $a_b\n',
  }
  const root = scratch()
  const changed = async (words: string): Promise<readonly string[]> => {
    put(root, all)
    const { changes } = await perform(await stage([], { root, info: small }), words)
    return changes.map(({ path }) => path)
  }
  expect(await changed('Rename a_b to c_d everywhere in src/')).toEqual(['src/a.js'])
  expect(await changed('Rename a_b to c_d everywhere except in docs and x.sh.')).toEqual([
    'lib/$.js',
    'src/a.js',
    'test/a.js',
  ])
  expect(await changed('Rename a_b to c_d everywhere')).toEqual(Object.keys(all))
  expect(readFileSync(join(root, 'lib/$.js'), 'utf8')).toBe('$a_b; c_d\n')
  expect(readFileSync(join(root, 'x.sh'), 'utf8')).toBe('echo $c_d\n')
})

test.each([
  ['Rename `f_x` to `g_x` everywhere', 'g_x'],
  ['Please rename the function f_x() to g_x() throughout the project, including tests and docs.', 'g_x'],
  ['Throughout the project, rename f_x to g_x', 'g_x'],
  ['Replace all uses of f_x with g_x in every file', 'g_x'],
  ['Rename f_x to g_x everywhere it is used. Do not change anything else.', 'g_x'],
  ['Rename f_x to g_x in the whole code base', 'g_x'],
  ['Rename f_x to g_x everywhere and make it return None', undefined],
  ['Rename f_x to g_x everywhere in the docs', undefined],
  ['Replace f_x with g_x(1) everywhere', undefined],
  ['Replace f_x with module.g_x everywhere', undefined],
])('what is asked for is no more than two words, or more: %s', (words, by) => {
  expect(exchangeIn(words)).toEqual(expect.objectContaining({ words: ['f_x'], by }))
})

test.each([
  ['Rename f_x to g_x and h_x to i_x everywhere', ['f_x', 'h_x']],
  ['Rename fX to gX, hX to iX and rename jX to kX in all files', ['fX', 'hX', 'jX']],
  ['rename load to read and save to write everywhere', ['load', 'save']],
  ['Rename f_x to g_x everywhere, and change the docs to match', ['f_x']],
  ['Rename f_x to g_x everywhere and everything to do with it', ['f_x']],
  ['Rename f_x to g_x everywhere and move it to src', ['f_x']],
])('all the words that are to go: %s', (words, all) => {
  expect(exchangeIn(words)?.words).toEqual(all)
})

test('of two words none may be left', async () => {
  const root = scratch({ 'a.js': 'one_a()\n', 'b.js': 'two_a()\n' })
  const plan = await stepPlan(
    'Rename one_a to one_b and two_a to two_b everywhere',
    async () => ['a.js', 'b.js'],
    openWorkspace(root),
  )
  expect(plan).toMatchObject({ words: ['one_a', 'two_a'], by: undefined, files: ['a.js', 'b.js'] })
  expect(await timesIn(['one_a', 'two_a'], 'b.js', openWorkspace(root))).toBe(1)
})

test.each(['Replace tabs with spaces everywhere', 'Change var to const in all files'])(
  'words of a sentence are no names: %s',
  (words) => expect(exchangeIn(words)?.by).toBeUndefined(),
)
