import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { withModel } from '../../../src/model/with-model.ts'

const set = (text: string, model = 'new'): string => withModel(text, model, 'config.toml')

test.each([
  ['nothing', '', 'model = "new"\n'],
  ['another key', 'x = 1\n', 'model = "new"\nx = 1\n'],
  ['a table that has a model too', '[remote]\nmodel = "m"\n', 'model = "new"\n[remote]\nmodel = "m"\n'],
  ['an older choice', '# mine\nmodel = "old" # why\nx = 1', '# mine\nmodel = "new" # why\nx = 1'],
  ['a quoted key and a literal text', '"model" = \'old\'\n[t]\n', '"model" = "new"\n[t]\n'],
  ['Windows lines', '[t]\r\nx = 1\r\n', 'model = "new"\r\n[t]\r\nx = 1\r\n'],
  ['a byte order mark', '\ufeffx = 1\n', '\ufeffmodel = "new"\nx = 1\n'],
  [
    'a text that looks like the key',
    'note = """\nmodel = "not this"\n"""\nmodel = "old"\n',
    'note = """\nmodel = "not this"\n"""\nmodel = "new"\n',
  ],
])('a file with %s changes in that one line', (_, before, after) => {
  expect(set(before)).toBe(after)
})

test('any path is written so that it is read back the same', () => {
  for (const path of ['/a b/ü.gguf', 'C:\\models\\x.gguf', '/with "quotes"\u007f.gguf']) {
    expect(parse(set('x = 1\n', path))).toEqual({ model: path, x: 1 })
  }
})

test('what cannot be changed safely is left alone, and the line to write is named', () => {
  expect(() => set('model = """\nold"""\n')).toThrow(/config.toml is written in a way.*model = "new"/)
})

test('a broken file is left alone, and its line is named', () => {
  expect(() => set('x = 1\ny = = 2\n')).toThrow(/config.toml:2: .*nothing was changed/)
})
