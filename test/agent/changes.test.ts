import { chmodSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { trackChanges } from '../../agent/changes.ts'
import { openRecorder } from '../../agent/undo/recorder.ts'
import { openWorkspace } from '../../sandbox/index.ts'
import type { Effect } from '../../tools/index.ts'
import { git, policyFor, put, scratch, text } from './support.ts'

const run = [{ kind: 'run', command: 'x' }] as const
const write = (path: string) => [{ kind: 'write', path }] as const

/** As a session does it: with the start of the turn recorded for undo, and where it cannot be. */
const places = ['a repository', 'a subfolder of a repository', 'a plain folder'].flatMap((kind) => [
  { kind, recorded: true },
  { kind, recorded: false },
])

describe.each(places)('in $kind, recorded: $recorded', ({ kind, recorded }) => {
  let root: string
  const tracked = () => {
    const workspace = openWorkspace(root)
    const changes = trackChanges(workspace)
    const recorder = openRecorder({ stateFolder: scratch(), workspace, session: 's', now: Date.now })
    recorder.begin('t')
    const { signal } = new AbortController()
    return {
      ...changes,
      async before(effects: readonly Effect[]): Promise<void> {
        if (recorded) expect(await recorder.before(effects, policyFor(root), signal)).toBeUndefined()
        await changes.before(effects, recorder.start())
      },
      restart(): void {
        changes.restart()
        recorder.begin('t')
      },
    }
  }
  beforeEach(() => {
    const top = scratch({ '.gitignore': 'out/\n*.log\n', 'outside.txt': 'o\n' })
    root = kind === 'a subfolder of a repository' ? join(top, 'sub') : top
    put(root, { 'a.txt': 'one\ntwo\n', 'd/b.txt': 'b\n', 'out/x.txt': 'x\n', 'bin.dat': 'a\0b' })
    if (kind !== 'a plain folder') {
      git(top, 'init', '-q')
      git(top, 'add', '.')
      git(top, 'commit', '-qm', 'start')
    }
  })

  test('what a command changed, made and removed is found; what it touched or what is ignored is not', async () => {
    put(root, { 'dirty.txt': 'not committed\n' })
    const changes = tracked()
    await changes.before(run)
    put(root, {
      'a.txt': 'one\n2\n',
      'new/c.txt': 'c\n',
      'dirty.txt': 'still not\n',
      'out/y.txt': 'y\n',
      'bin.dat': 'c\0d',
    })
    rmSync(join(root, 'd/b.txt'))
    utimesSync(join(root, '.gitignore').replace('/sub/', '/'), 1, 1)
    expect((await changes.list()).map(({ path, kind: what }) => `${what} ${path}`)).toEqual([
      'changed a.txt',
      'changed bin.dat',
      'deleted d/b.txt',
      'changed dirty.txt',
      'added new/c.txt',
    ])
    const [a, bin, , dirty] = await changes.list()
    expect(a?.diff).toContain('-two\n+2')
    expect(bin?.diff).toBeUndefined()
    expect(dirty?.diff).toContain('-not committed')
  })

  test('tools and commands together: the start of the run counts, in either order', async () => {
    const changes = tracked()
    await changes.before(write('a.txt'))
    writeFileSync(join(root, 'a.txt'), 'by a tool\n')
    await changes.before(run)
    writeFileSync(join(root, 'a.txt'), 'by a command\n')
    writeFileSync(join(root, 'new.txt'), 'by a command\n')
    await changes.before(write('new.txt'))
    writeFileSync(join(root, 'new.txt'), 'then by a tool\n')
    await changes.before(write('out/x.txt'))
    writeFileSync(join(root, 'out/x.txt'), 'ignored, but by a tool\n')
    const [a, made, ignored] = await changes.list()
    expect(a).toMatchObject({ path: 'a.txt', kind: 'changed' })
    expect(a?.diff).toContain('-one\n-two\n+by a command')
    expect(made).toMatchObject({ path: 'new.txt', kind: 'added' })
    expect(ignored).toMatchObject({ path: 'out/x.txt', kind: 'changed' })
  })

  test('changed and changed back is no change; a new run starts from what is there', async () => {
    const changes = tracked()
    await changes.before(run)
    writeFileSync(join(root, 'a.txt'), 'other\n')
    writeFileSync(join(root, 'a.txt'), 'one\ntwo\n')
    chmodSync(join(root, 'd/b.txt'), 0o755)
    expect(await changes.list()).toEqual([])
    writeFileSync(join(root, 'a.txt'), 'other\n')
    changes.restart()
    await changes.before(run)
    expect(await changes.list()).toEqual([])
    writeFileSync(join(root, 'a.txt'), 'third\n')
    expect((await changes.list())[0]?.diff).toContain('-other\n+third')
  })

  test('links are not followed', async () => {
    symlinkSync('/etc/hostname', join(root, 'link'))
    const changes = tracked()
    await changes.before(run)
    symlinkSync('/etc', join(root, 'other'))
    expect(await changes.list()).toEqual([])
  })

  test('what somebody else wrote between a tool and the first command is the start of it', async () => {
    const changes = tracked()
    await changes.before(write('a.txt'))
    writeFileSync(join(root, 'a.txt'), 'by a tool\n')
    writeFileSync(join(root, 'd/b.txt'), 'by the user\n')
    await changes.before(run)
    writeFileSync(join(root, 'd/b.txt'), 'by a command\n')
    const [a, b] = await changes.differences()
    expect([a?.path, a?.before?.toString()]).toEqual(['a.txt', 'one\ntwo\n'])
    expect([b?.path, b?.before?.toString()]).toEqual(['d/b.txt', 'by the user\n'])
    await changes.put([])
    expect(text(root, 'd/b.txt')).toBe('by the user\n')
    expect(text(root, 'a.txt')).toBe('one\ntwo\n')
  })
})

test('a commit made by a command does not hide what it changed', async () => {
  const root = scratch({ 'a.txt': 'one\n' })
  git(root, 'init', '-q')
  git(root, 'add', '.')
  git(root, 'commit', '-qm', 'start')
  const changes = trackChanges(openWorkspace(root))
  await changes.before(run)
  writeFileSync(join(root, 'a.txt'), 'two\n')
  git(root, 'commit', '-qam', 'by the model')
  expect((await changes.list())[0]?.diff).toContain('-one\n+two')
})

test('a repository whose configuration names a program for git to run does not get it run', async () => {
  const root = scratch({ 'a.txt': 'one\n' })
  git(root, 'init', '-q')
  git(root, 'config', 'core.fsmonitor', `touch ${join(root, 'owned')}; false`)
  await trackChanges(openWorkspace(root)).before(run)
  await expect(openWorkspace(root).stat('owned')).resolves.toBeUndefined()
})
