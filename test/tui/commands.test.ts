import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { customCommands } from '../../src/tui/commands/custom.ts'
import { columns, showCommands } from '../../src/tui/commands/show.ts'
import { chooseTurns, readWish } from '../../src/tui/commands/undo.ts'
import { branchOf } from '../../src/tui/current.ts'
import { exportMarkdown } from '../../src/tui/sessions/export.ts'
import { readMeta, writeMeta } from '../../src/tui/sessions/meta.ts'
import { plainText } from '../../src/tui/text/style.ts'

const scratch = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'cachalot-commands-')))

it('undo and redo read a number and --force, in any order, and nothing else', () => {
  expect(readWish('')).toEqual({ count: 1, force: false })
  expect(readWish(' 3 --force ')).toEqual({ count: 3, force: true })
  expect(readWish('--force 2')).toEqual({ count: 2, force: true })
  for (const wrong of ['0', '1 2', 'all', '-1', '1.5']) expect(readWish(wrong)).toBeUndefined()
})

it('undo takes the last turns back whole: words of all, files of those that changed some', () => {
  // Last first: words, an edit, words.
  const held = [undefined, 'b', undefined, 'a']
  expect(chooseTurns(held, ['b', 'a'], 1)).toEqual({ files: 0, words: 1 })
  expect(chooseTurns(held, ['b', 'a'], 2)).toEqual({ files: 1, words: 2 })
  expect(chooseTurns(held, ['b', 'a'], 4)).toEqual({ files: 2, words: 4 })
  // Taken back from a shell meanwhile.
  expect(chooseTurns(held, ['a'], 2)).toEqual({ files: 0, words: 2 })
  // Another window changed something since: only files, the newest first.
  expect(chooseTurns(held, ['c', 'b', 'a'], 2)).toEqual({ files: 2, words: 0 })
  expect(chooseTurns(held, ['c', 'b', 'a'], 1)).toEqual({ files: 0, words: 1 })
  // Turns of an earlier session.
  expect(chooseTurns(held, ['b', 'a', 'z'], 5)).toEqual({ files: 5, words: 0 })
  expect(chooseTurns([], ['z'], 1)).toEqual({ files: 1, words: 0 })
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
    expect(text).toContain('## You\n\ndo it\n\n## Cachalot\n\n**shell**')
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

it('/context tells how full it is and what of the repository is in it, by folder; /context files names each file', async () => {
  const file = (path: string, tokens: number) =>
    tokens > 0
      ? ({ path, state: 'whole', bytes: 1, tokens } as const)
      : ({ path, state: 'absent', reason: 'no room', bytes: 1, tokens } as const)
  const report = {
    resident: true,
    why: 'it is saved',
    budgetTokens: 100,
    otherTokens: 7,
    plan: { text: '', tokens: 60, whole: [], files: [file('a.ts', 10), file('lib/b.ts', 50), file('lib/c.ts', 0)] },
  }
  const said: string[] = []
  const desk = {
    ui: { contextUsed: 70, contextTokens: 1000, warm: 5 },
    sayLines: (block: (width: number) => Parameters<typeof plainText>[0][]) => said.push(...block(100).map(plainText)),
    session: async () => ({ context: async () => report }),
  }
  const context = showCommands.find(({ name }) => name === 'context')
  await context?.run('', { desk } as unknown as Parameters<NonNullable<typeof context>['run']>[1])
  const text = said.join('\n')
  expect(text).toContain('70 of 1,000 tokens')
  expect(text).toMatch(/system and instructions take 7/)
  expect(text).toMatch(/50 {2}lib\/ {2}1 file whole \(●\), 0 outlined \(◐\), 1 absent \(○\)\n +10 {2}\.\/ /)
  expect(text).toContain('2 files whole (●), 0 outlined (◐), 1 absent (○)')
  expect(text).not.toContain('b.ts')
  said.length = 0
  await context?.run('files', { desk } as unknown as Parameters<NonNullable<typeof context>['run']>[1])
  expect(said.join('\n')).toContain('○ c.ts  absent: no room')
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
