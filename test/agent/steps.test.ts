/** One change in many files, by a small model: a file at a time, and all of it or nothing. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesOfEach } from '../../agent/context/each-file.ts'
import { stepPlan } from '../../agent/context/steps.ts'
import type { Message } from '../../engine/index.ts'
import { openWorkspace } from '../../sandbox/index.ts'
import { performNoticed, type Stage, scratch, stage, text } from './support.ts'

const small = { finishes: 'edits', prompt: 'small' } as const
/** More than the exchange of two words, so that the model does it. */
const task = 'Rename oldName to newName everywhere and keep the order of the lines'
const files = {
  'a.js': 'export const oldName = 1\n',
  'b.js': "import { oldName } from './a.js'\nconsole.log(oldName)\n",
  'lib/c.js': '// oldNames are others\nexport { oldName } from "../a.js"\n',
  'other.js': 'export const name = "oldNames"\n',
}
const renamed = (path: keyof typeof files): string => files[path].replace(/\boldName\b/g, 'newName')
const wordsOf = (message: Message | undefined): string => (message?.role === 'user' ? message.text : '')
const shownIn = (message: Message | undefined): string => /```\w*\n([\s\S]*?)```/.exec(wordsOf(message))?.[1] ?? ''
const write = (path: string, content: string) => ({ calls: [{ name: 'write', arguments: { path, content } }] })

const perform = (at: Stage, words = task) => performNoticed(at, words)

test('each file is done by itself, and what is said of it is not said of the others', async () => {
  const order = ['a.js', 'b.js', 'lib/c.js'] as const
  const at = await stage(
    order.map((path) => write(path, renamed(path))),
    { files, info: small },
  )
  const result = await perform(at)
  expect(result).toMatchObject({ exit: 'done', steps: 3 })
  expect(result.changes.map(({ path }) => path)).toEqual([...order])
  for (const path of order) expect(text(at.root, path)).toBe(renamed(path))
  expect(text(at.root, 'other.js')).toBe(files['other.js'])
  expect(result.notices).toContain('oldName stands in 3 files, done one at a time: a.js, b.js, lib/c.js.')
  for (const [i, { messages }] of at.model.requests.entries()) {
    const shown = JSON.stringify(messages)
    expect(shown).toContain(task)
    for (const path of order) expect(shown.includes(JSON.stringify(files[path]).slice(1, -1))).toBe(path === order[i])
  }
})

test('a file that is not done is tried once more; then no file is changed at all', async () => {
  const half = files['b.js'].replace('oldName', 'newName')
  const replies = [write('a.js', renamed('a.js')), write('b.js', half), write('b.js', renamed('b.js'))]
  const at = await stage([...replies, write('lib/c.js', renamed('lib/c.js'))], { files, info: small })
  expect(await perform(at)).toMatchObject({ exit: 'done', steps: 4 })
  expect(text(at.root, 'b.js')).toBe(renamed('b.js'))

  const stuck = { text: 'There is nothing to rename here.' }
  const bad = await stage([replies[0]!, stuck, stuck, stuck, stuck], { files, info: small })
  const result = await perform(bad)
  expect(result).toMatchObject({ exit: 'not-done', changes: [] })
  expect(result.text).toBe('oldName still stands in b.js. No file was changed.')
  for (const [path, was] of Object.entries(files)) expect(text(bad.root, path)).toBe(was)
})

test('where the model fails, or nobody listens any more, no file is changed either', async () => {
  const first = write('a.js', renamed('a.js'))
  const dead = await stage([first, { failure: { kind: 'internal', message: 'It is gone.' } }], { files, info: small })
  expect(await perform(dead)).toMatchObject({ exit: 'model', changes: [] })
  expect(text(dead.root, 'a.js')).toBe(files['a.js'])

  const left = await stage([first, first], { files, info: small })
  for await (const event of left.session.send(task)) if (event.type === 'tool-result') break
  expect(text(left.root, 'a.js')).toBe(files['a.js'])
})

test('what is done so can be asked to go on, and is one turn', async () => {
  const order = ['a.js', 'b.js', 'lib/c.js'] as const
  const at = await stage([...order.map((path) => write(path, renamed(path))), { text: 'It was renamed.' }], {
    files,
    info: small,
  })
  await perform(at)
  expect(await perform(at, 'What was done?')).toMatchObject({ exit: 'done', text: 'It was renamed.' })
})

test('a file whose text cannot be shown is named, and the run is not done', async () => {
  const at = await stage([write('a.js', renamed('a.js'))], { files: { 'a.js': files['a.js'] }, info: small })
  const wide = Buffer.from('\ufeffoldName', 'utf16le')
  writeFileSync(join(at.root, 'wide.txt'), wide)
  const result = await perform(at)
  expect(result.exit).toBe('not-done')
  expect(result.text).toBe('oldName still stands in wide.txt, which is no UTF-8 text. Change it by hand.')
  expect(text(at.root, 'a.js')).toBe(renamed('a.js'))
  expect(readFileSync(join(at.root, 'wide.txt'))).toEqual(wide)
})

test('a plan is made for one word in all places only', async () => {
  const at = await stage([], { files, info: small })
  const plan = (words: string) => stepPlan(words, async () => Object.keys(files), openWorkspace(at.root))
  for (const words of [
    'rename the function `oldName` to newName throughout',
    'Replace all uses of oldName with newName in all files',
    'Change "oldName" to "newName" across the code base.',
  ]) {
    const found = ['a.js', 'b.js', 'lib/c.js']
    expect(await plan(words)).toEqual({ words: ['oldName'], by: 'newName', files: found, unread: [] })
  }
  for (const words of [
    'Rename oldName to newName in a.js',
    'Rename missing to other everywhere',
    'Add tests everywhere',
    'Why is oldName used everywhere?',
    'Replace oldName with oldName(1) everywhere',
  ])
    expect(await plan(words)).toBeUndefined()
})

test('the places of a long file are done one after the other: the part that is shown is where the word still stands', async () => {
  const lines = Array.from({ length: 400 }, (_, i) => `export const value${i} = ${i}`)
  lines[20] = 'export const oldName = 20'
  lines[370] = 'export const last = oldName'
  const before = `${lines.join('\n')}\n`
  const shownParts: string[] = []
  const at = await stage(
    (messages) => {
      const part = shownIn(messages.at(-1))
      shownParts.push(part)
      return write('long.js', part.replaceAll('oldName', 'newName'))
    },
    { files: { 'long.js': before }, info: small },
  )
  expect(await perform(at)).toMatchObject({ exit: 'done', steps: 2 })
  expect(text(at.root, 'long.js')).toBe(before.replaceAll('oldName', 'newName'))
  expect(shownParts.map((part) => part.includes('last = '))).toEqual([false, true])
  for (const part of shownParts) expect(part.split('\n').length).toBeLessThan(100)
})

describe('the same in every file of a folder', () => {
  const sources = {
    'lib/a.py': 'def a():\n    return 1\n',
    'lib/deep/b.py': 'def b():\n    return 2\n',
    'lib/c.ts': 'export const c = 3\n',
    'lib/notes.txt': 'not code\n',
    'main.py': 'print(0)\n',
    'in/x.py': 'x = 1\n',
  }
  const asked = 'Add a docstring to every function in lib/'
  const told = (path: keyof typeof sources) => `# told\n${sources[path]}`

  test('one at a time, each seen alone, and one that needs nothing stays as it is', async () => {
    const nothing = { text: 'There is no function in this file.' }
    const at = await stage(
      [write('lib/a.py', told('lib/a.py')), nothing, nothing, write('lib/deep/b.py', told('lib/deep/b.py'))],
      { files: sources, info: small },
    )
    const result = await perform(at, asked)
    expect(result).toMatchObject({ exit: 'done', text: 'Left as they are: lib/c.ts.' })
    expect(result.changes.map(({ path }) => path)).toEqual(['lib/a.py', 'lib/deep/b.py'])
    expect(result.notices).toContain('3 files, done one at a time: lib/a.py, lib/c.ts, lib/deep/b.py.')
    for (const path of ['lib/c.ts', 'lib/notes.txt', 'main.py'] as const)
      expect(text(at.root, path)).toBe(sources[path])
    const last = JSON.stringify(at.model.requests.at(-1)?.messages)
    expect(last).toContain('return 2')
    expect(last).not.toContain('return 1')
  })

  test('a long file is done in parts, from its end, and all of it', async () => {
    const one = (i: number) => `def f${i}():\n    x = ${i}\n    return x\n\n\n`
    const long = Array.from({ length: 60 }, (_, i) => one(i)).join('')
    const tell = (part: string) => part.replace(/^(def .*)$/gm, "$1\n    'Told.'")
    const at = await stage(
      (messages) => {
        const last = messages.at(-1)
        return write(/Now do it in @?([\w./]+\.py)/.exec(wordsOf(last))?.[1] ?? '', tell(shownIn(last)))
      },
      { files: { 'lib/long.py': long, 'lib/short.py': one(0) }, info: small },
    )
    const result = await perform(at, asked)
    expect(result.exit).toBe('done')
    expect(text(at.root, 'lib/long.py').trimEnd()).toBe(tell(long).trimEnd())
    expect(result.notices).toContain('Step 1 of 5: lib/long.py, lines 271–298')
    expect(result.notices).toContain('Step 5 of 5: lib/short.py')
  })

  test('none is changed: it is not done', async () => {
    const same = { text: 'Nothing to do.' }
    const at = await stage(() => same, { files: sources, info: small })
    expect(await perform(at, asked)).toMatchObject({ exit: 'not-done', changes: [] })
  })

  test.each<readonly [string, readonly string[] | undefined]>([
    [asked, ['lib/a.py', 'lib/c.ts', 'lib/deep/b.py']],
    ['Add type hints to all Python files in lib', ['lib/a.py', 'lib/deep/b.py']],
    ['Write a license header into lib/**/*.py', ['lib/a.py', 'lib/deep/b.py']],
    ['Add a comment on top of *.py', ['in/x.py', 'lib/a.py', 'lib/deep/b.py', 'main.py']],
    ['Add a header to every .ts file', undefined],
    ['Add a header to every Python file', ['in/x.py', 'lib/a.py', 'lib/deep/b.py', 'main.py']],
    ['Move all functions of lib/ into one file', undefined],
    ['Fix all bugs in main.py', undefined],
    ['What does every file in lib/ do?', undefined],
    ['Add a test in all files of ../elsewhere/', undefined],
  ])('%s', async (words, expected) => {
    const root = scratch(sources)
    const paths = Object.keys(sources).sort()
    expect(await filesOfEach(words, async () => paths, openWorkspace(root))).toEqual(expected)
  })
})
