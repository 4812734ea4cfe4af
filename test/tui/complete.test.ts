import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { accept, step, suggestNames, suggestPaths, tokenAt } from '../../src/tui/complete/complete.ts'
import { openFileList } from '../../src/tui/complete/files.ts'
import { pointers } from '../../src/tui/complete/mentions.ts'
import { emptyEditor, insert } from '../../src/tui/editor/editor.ts'

const at = (text: string): ReturnType<typeof tokenAt> => tokenAt({ text, cursor: text.length })

describe('what is being completed', () => {
  it('is found at the cursor', () => {
    expect(at('look at @src/a')).toMatchObject({ kind: 'path', query: 'src/a', from: 8 })
    expect(at('(@')).toMatchObject({ kind: 'path', query: '' })
    expect(at('/mo')).toMatchObject({ kind: 'command', query: 'mo' })
    expect(at('/mode pl')).toMatchObject({ kind: 'argument', command: 'mode', query: 'pl' })
    expect(at('me@host')).toBeUndefined()
    expect(at('@a.ts:10-')).toBeUndefined()
    expect(at('say /mode')).toBeUndefined()
  })

  it('is replaced by the suggestion', () => {
    const editor = insert(emptyEditor, 'see @edt')
    const [first] = suggestPaths('edt', ['README.md', 'src/editor.ts', 'my file edt.txt'])
    expect(first?.label).toMatch(/ed/)
    expect(accept(editor, tokenAt(editor)!, { insert: '@src/editor.ts ', label: '', help: '' }).text).toBe(
      'see @src/editor.ts ',
    )
    expect(suggestPaths('', ['a b'])[0]?.insert).toBe('@"a b" ')
  })

  it('names commands by their start first', () => {
    const commands = ['model', 'mode', 'memory', 'undo'].map((name) => ({ name, help: name }))
    expect(suggestNames('mo', commands, '/').map(({ label }) => label)).toEqual(['/model', '/mode', '/memory'])
    const completion = { token: at('/m')!, suggestions: suggestNames('m', commands, '/'), at: 0, moved: false }
    expect(step(completion, -1).at).toBe(2)
  })
})

describe('files', () => {
  const root = mkdtempSync(join(tmpdir(), 'cachalot-complete-'))
  mkdirSync(join(root, 'src'))
  writeFileSync(join(root, 'src/a.ts'), 'one\ntwo\nthree\n')
  writeFileSync(join(root, 'new.txt'), 'x')
  writeFileSync(join(root, 'secret.log'), 'x')
  writeFileSync(join(root, 'bin'), 'a\0b')
  symlinkSync('/etc/hostname', join(root, 'out'))

  it('are listed without git, and with it: tracked and untracked, not ignored', async () => {
    expect(await openFileList(root).ready()).toEqual(['bin', 'new.txt', 'secret.log', 'src/a.ts'])
    writeFileSync(join(root, '.gitignore'), '*.log\n')
    execFileSync('git', ['init', '-q'], { cwd: root })
    execFileSync('git', ['add', 'src'], { cwd: root })
    expect(await openFileList(root).ready()).toEqual(['.gitignore', 'bin', 'new.txt', 'out', 'src/a.ts'])
  })

  it('that are pictures go with the message', async () => {
    expect(await pointers('fix @src/a.ts:2-9 @src/a.ts @shot.png', root)).toEqual({
      problems: [],
      pictures: [join(root, 'shot.png')],
    })
  })

  it('that cannot be shown are told', async () => {
    const { problems } = await pointers('@.env:1-2 @none:1 @bin:1 @out:1 @src/a.ts:7-9 @../x:1', root)
    expect(problems).toEqual([
      '@.env: files of secrets are not shown to the model',
      '@none: no such file',
      '@bin: a binary file',
      '@out: outside of this folder',
      '@src/a.ts:7-9: the file has 3 lines',
      expect.stringMatching(/^@..\/x: /),
    ])
  })
})
