import { mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FileChange } from '../../agent/index.ts'
import { customCommands } from '../../src/tui/commands/custom.ts'
import { columns } from '../../src/tui/commands/show.ts'
import { openUndo } from '../../src/tui/commands/undo.ts'
import { branchOf } from '../../src/tui/current.ts'
import { exportMarkdown } from '../../src/tui/sessions/export.ts'
import { readMeta, writeMeta } from '../../src/tui/sessions/meta.ts'
import { plainText } from '../../src/tui/text/style.ts'
import { unifiedDiff } from '../../tools/index.ts'

const scratch = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'cachalot-commands-')))

/** Makes the change in the folder and tells of it as the agent does. */
function changed(folder: string, path: string, before: string | null, after: string): FileChange {
  writeFileSync(join(folder, path), after)
  return { path, kind: before === null ? 'added' : 'changed', diff: unifiedDiff(path, before, after) }
}

describe('undo', () => {
  it('takes back and makes again, byte for byte, also without a last line break and with CRLF', async () => {
    const folder = scratch()
    const texts = { 'a.txt': ['one\ntwo', 'one\nthree'], 'b.txt': ['x\r\ny\r\n', 'x\r\nz\r\n'] } as const
    const changes = Object.entries(texts).map(([path, [before, after]]) => changed(folder, path, before, after))
    const undo = openUndo(folder)
    undo.record(changes)
    const state = (): string[] => Object.keys(texts).map((path) => readFileSync(join(folder, path), 'utf8'))
    expect((await undo.back()).ok).toBe(true)
    expect(state()).toEqual(['one\ntwo', 'x\r\ny\r\n'])
    expect((await undo.again()).ok).toBe(true)
    expect(state()).toEqual(['one\nthree', 'x\r\nz\r\n'])
    expect(await undo.again()).toEqual({ ok: false, text: 'There is nothing to redo.' })
  })

  it('changes nothing at all when one file was changed since', async () => {
    const folder = scratch()
    const undo = openUndo(folder)
    undo.record([changed(folder, 'a.txt', 'one\n', 'two\n'), changed(folder, 'b.txt', 'one\n', 'two\n')])
    writeFileSync(join(folder, 'b.txt'), 'mine\n')
    expect(await undo.back()).toEqual({ ok: false, text: 'Nothing was changed: b.txt has been changed since.' })
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('two\n')
  })

  it('leaves binary files alone', async () => {
    const folder = scratch()
    const undo = openUndo(folder)
    undo.record([{ path: 'a.bin', kind: 'changed' }])
    expect((await undo.back()).text).toContain('a.bin is not text')
  })
})

describe('commands of the user', () => {
  it('are read from their folders, the nearer one wins', async () => {
    const [user, repository] = [scratch(), scratch()]
    writeFileSync(join(user, 'review.md'), 'Review everything.')
    writeFileSync(join(repository, 'review.md'), '---\ndescription: "Our review"\n---\nReview $ARGUMENTS, $ARGUMENTS.')
    writeFileSync(join(repository, 'not a name.md'), 'x')
    const [command, ...others] = await customCommands([user, repository, join(user, 'nowhere')])
    expect(others).toEqual([])
    expect(command).toMatchObject({ name: 'review', help: 'Our review', takes: '[words]' })
    const sent: string[] = []
    const turns = { submit: (text: string) => sent.push(text) }
    await command?.run('$& it', { turns } as unknown as Parameters<NonNullable<typeof command>['run']>[1])
    expect(sent).toEqual(['Review $& it, $& it.'])
  })
})

describe('sessions', () => {
  it('keep a title beside the log; damage is no error', async () => {
    const log = join(scratch(), 'id.jsonl')
    expect(await readMeta(log)).toEqual({})
    await writeMeta(log, { title: 'whales', branch: 'main' })
    expect(await readMeta(log)).toEqual({ title: 'whales', branch: 'main' })
    writeFileSync(log.replace('.jsonl', '.meta.json'), '{"title":')
    expect(await readMeta(log)).toEqual({})
  })

  it('are exported with fences that their text cannot close', () => {
    const info = { id: 'x', cwd: '/w', model: { name: 'm' }, sandbox: 'none', logFile: '/l' }
    const text = exportMarkdown(
      [
        { type: 'input', text: 'do it' },
        {
          type: 'tool-result',
          callId: '1',
          name: 'shell',
          seconds: 1,
          result: {
            ok: true,
            content: '',
            details: {
              kind: 'command',
              command: 'x',
              exitCode: 0,
              outcome: 'exited',
              seconds: 1,
              output: '```\n````\n',
            },
          },
        },
      ],
      info as unknown as Parameters<typeof exportMarkdown>[1],
    )
    expect(text).toContain('## You\n\ndo it')
    expect(text).toContain('`````\n```\n````\n`````')
  })

  it('know their branch, in a repository, a worktree and without one', async () => {
    const folder = scratch()
    expect(await branchOf(folder)).toBeUndefined()
    mkdirSync(join(folder, '.git'))
    writeFileSync(join(folder, '.git', 'HEAD'), 'ref: refs/heads/topic/one\n')
    expect(await branchOf(folder)).toBe('topic/one')
    const other = scratch()
    writeFileSync(join(other, '.git'), `gitdir: ${join(folder, '.git')}\n`)
    expect(await branchOf(other)).toBe('topic/one')
    writeFileSync(join(folder, '.git', 'HEAD'), '0123456789abcdef\n')
    expect(await branchOf(folder)).toBe('01234567')
  })
})

it('two columns keep to the width', () => {
  const rows = columns(
    [
      ['/help', 'a long explanation of what the command does'],
      ['/x', 'y'],
    ],
    30,
  )
  expect(Math.max(...rows.map((row) => plainText(row).length))).toBeLessThanOrEqual(30)
})
