import { appendFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Editor, emptyEditor, expanded, insert } from '../../src/tui/editor/editor.ts'
import { loadHistory, looksSecret, newer, older, saveHistory, searchBack } from '../../src/tui/editor/history.ts'
import { pastePicture } from '../../src/tui/editor/pictures.ts'
import { insertMode, leaveInsert, typeNormal, type VimState } from '../../src/tui/editor/vim.ts'

/** Types the text, leaves insert mode, then types the keys of normal mode. */
function vim(text: string, keys: string): VimState {
  const typed: Editor = insert(emptyEditor, text)
  const left = leaveInsert({ vim: insertMode, editor: typed }) as VimState
  return typeNormal(left, keys, 40)
}

it('vim keys move, cut and change', () => {
  expect(vim('one two three', 'bbdw').editor.text).toBe('one three')
  expect(vim('one two', '0x').editor.text).toBe('ne two')
  expect(vim('one\ntwo\nthree', 'kdd').editor.text).toBe('one\nthree')
  expect(vim('one\ntwo', 'ggO').editor.text).toBe('\none\ntwo')
  expect(vim('one two', 'bcwTWO').editor.text).toBe('one TWO')
  expect(vim('one', 'A more').editor.text).toBe('one more')
  expect(vim('one', 'ddp').editor.text).toBe('one')
  expect(vim('one', 'xu').editor.text).toBe('one')
  expect(vim('one', 'qz?').editor.text).toBe('one')
  expect(leaveInsert({ vim: { mode: 'normal', pending: '' }, editor: emptyEditor })).toBeUndefined()
})

it('a dropped picture becomes a chip that names it', () => {
  const editor = pastePicture(emptyEditor, "'/tmp/my shot.png'\n")
  expect(expanded(editor ?? emptyEditor)).toBe('@"/tmp/my shot.png" ')
  const after = pastePicture(insert(emptyEditor, 'see'), '/tmp/a.png')
  expect(expanded(insert(after ?? emptyEditor, 'there'))).toBe('see @/tmp/a.png there')
  expect(pastePicture(emptyEditor, 'see /tmp/a.png and more')).toBeUndefined()
  expect(pastePicture(emptyEditor, '/tmp/a.ts')).toBeUndefined()
})

it('the history is walked, searched, and keeps the draft', () => {
  const entries = ['one', 'two', 'two', 'three']
  const [first, text] = older(entries, undefined, 'draft') ?? []
  expect(text).toBe('three')
  const [second, next] = older(entries, first, 'three') ?? []
  expect(next).toBe('two')
  expect(older(entries, second, 'two')?.[1]).toBe('one')
  expect(newer(entries, second)?.[1]).toBe('three')
  expect(newer(entries, first)).toEqual([undefined, 'draft'])
  expect(searchBack(entries, 'tw', 4)).toBe(2)
  expect(searchBack(entries, 'tw', 2)).toBe(1)
  expect(searchBack(entries, 'TW', 4)).toBeUndefined()
})

it('the history is kept in a file without secrets, past damage', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'cachalot-history-')), 'deep', 'history.jsonl')
  expect(await loadHistory(file)).toEqual([])
  await saveHistory(file, 'first\nline')
  await saveHistory(file, 'export API_KEY=abcdef123456')
  appendFileSync(file, '{broken\n')
  await saveHistory(file, 'last')
  expect(await loadHistory(file)).toEqual(['first\nline', 'last'])
})

it('secrets are known by their shapes', () => {
  const secrets = [
    `ghp_${'a'.repeat(36)}`,
    `sk-${'a'.repeat(40)}`,
    'AKIAABCDEFGHIJKLMNOP',
    'postgres://user:pa55word@host/db',
    'password: "hunter22"',
    '-----BEGIN OPENSSH PRIVATE KEY-----',
  ]
  for (const secret of secrets) expect(looksSecret(`use ${secret} here`)).toBe(true)
  for (const plain of ['fix the password form', 'what does sk-learn do?', 'see https://example.org/a:b'])
    expect(looksSecret(plain)).toBe(false)
})
