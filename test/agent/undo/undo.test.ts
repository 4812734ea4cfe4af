import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { listTurns, redoTurns, undoTurns } from '../../../agent/index.ts'
import { pruneTurns } from '../../../agent/undo/prune.ts'
import { openRecorder } from '../../../agent/undo/recorder.ts'
import { openWorkspace } from '../../../sandbox/index.ts'
import type { Effect } from '../../../tools/index.ts'
import { git, perform, policyFor, put, scratch, stage, text } from '../support.ts'

const run: Effect[] = [{ kind: 'run', command: 'x' }]
const never = new AbortController().signal

/** Every file and link below a folder with its mode and content; git's own data are left out. */
function world(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.split('/').includes('.git'))
    .flatMap((path) => {
      const stats = lstatSync(join(root, path))
      if (stats.isDirectory()) return []
      const content = stats.isFile() ? readFileSync(join(root, path), 'base64') : `-> ${readlinkSync(join(root, path))}`
      return [`${path} ${(stats.mode & 0o777).toString(8)} ${content}`]
    })
    .sort()
}

/** One turn: what `work` does to the tree is what a command did. */
async function turn(
  at: { root: string; stateFolder: string },
  work: () => void,
  effects: Effect[] = run,
): Promise<void> {
  const recorder = openRecorder({
    stateFolder: at.stateFolder,
    workspace: openWorkspace(at.root),
    session: 's',
    now: Date.now,
  })
  recorder.begin('a task')
  expect(await recorder.before(effects, policyFor(at.root), never)).toBeUndefined()
  work()
  expect(await recorder.end()).toBeUndefined()
}

describe.each(['a repository', 'a subfolder of a repository', 'a plain folder'])('in %s', (kind) => {
  let root: string
  let at: { root: string; stateFolder: string }
  beforeEach(() => {
    const top = scratch({ '.gitignore': 'out/\n*.log\n', 'outside.txt': 'o\n' })
    root = kind === 'a subfolder of a repository' ? join(top, 'sub') : top
    put(root, {
      'a.txt': 'one\n',
      'd/b.txt': 'b\r\n',
      'd/deep/empty': '',
      'out/x.txt': 'x\n',
      'bin.dat': 'a\0b',
      'run.sh': '#!/bin/sh\n',
      'odd "name"\n\\é.txt': 'odd\n',
    })
    chmodSync(join(root, 'run.sh'), 0o755)
    chmodSync(join(root, 'bin.dat'), 0o600)
    symlinkSync('a.txt', join(root, 'link'))
    symlinkSync('/nowhere/at all', join(root, 'd/dangling'))
    if (kind !== 'a plain folder') {
      git(top, 'init', '-q')
      git(top, 'add', 'sub/a.txt'.replace(/^sub\//, root === top ? '' : 'sub/'))
      git(top, 'commit', '-qm', 'start')
    }
    at = { root, stateFolder: scratch() }
  })

  test('all that a command did is taken back and made again: contents, modes, links, empty files, folders', async () => {
    const before = world(root)
    await turn(at, () => {
      writeFileSync(join(root, 'a.txt'), 'two\n')
      rmSync(join(root, 'd'), { recursive: true })
      writeFileSync(join(root, 'd'), 'now a file\n')
      rmSync(join(root, 'link'))
      symlinkSync('run.sh', join(root, 'link'))
      chmodSync(join(root, 'run.sh'), 0o644)
      chmodSync(join(root, 'bin.dat'), 0o640)
      put(root, { 'made/by/command.txt': '', 'a file with a space': 'x' })
      rmSync(join(root, 'odd "name"\n\\é.txt'))
    })
    const after = world(root)
    expect(after).not.toEqual(before)
    expect(await undoTurns(at)).toMatchObject({ ok: true, left: [] })
    expect(world(root)).toEqual(before)
    expect(existsSync(join(root, 'made'))).toBe(false)
    expect(await redoTurns(at)).toMatchObject({ ok: true })
    expect(world(root)).toEqual(after)
    expect(await redoTurns(at)).toMatchObject({ ok: false, text: 'There is nothing to redo.' })
  })

  test('several turns go back one by one or at once, what is ignored stays out of it', async () => {
    const first = world(root)
    await turn(at, () => writeFileSync(join(root, 'a.txt'), 'two\n'))
    const second = world(root)
    await turn(at, () => put(root, { 'a.txt': 'three\n', 'new.txt': 'n\n' }))
    await turn(at, () => undefined)
    const third = world(root)
    expect((await listTurns(at)).map(({ number, paths, state }) => ({ number, paths, state }))).toEqual([
      { number: 1, paths: ['a.txt', 'new.txt'], state: 'done' },
      { number: 2, paths: ['a.txt'], state: 'done' },
    ])
    await undoTurns(at)
    expect(world(root)).toEqual(second)
    await undoTurns(at)
    expect(world(root)).toEqual(first)
    expect(await undoTurns(at)).toMatchObject({ ok: false, text: 'There is nothing to undo.' })
    await redoTurns(at, { count: 2 })
    expect(world(root)).toEqual(third)
    expect(await undoTurns(at, { count: 3 })).toMatchObject({ ok: false, text: 'There are only 2 turns to undo.' })
    await undoTurns(at, { count: 2 })
    expect(world(root)).toEqual(first)
    await turn(at, () => writeFileSync(join(root, 'a.txt'), 'another way\n'))
    expect(await redoTurns(at)).toMatchObject({ ok: false, text: 'There is nothing to redo.' })
  })

  test('what the user changed since is named and not touched; force overwrites it, redo brings it back', async () => {
    await turn(at, () => put(root, { 'a.txt': 'two\n', 'd/b.txt': 'other\n' }))
    writeFileSync(join(root, 'a.txt'), 'mine\n')
    chmodSync(join(root, 'a.txt'), 0o600)
    const mine = world(root)
    const refused = await undoTurns(at)
    expect(refused).toMatchObject({ ok: false, conflicts: ['a.txt'] })
    expect(refused.text).toContain('changed since: a.txt')
    expect(world(root)).toEqual(mine)
    expect(await undoTurns(at, { force: true })).toMatchObject({ ok: true })
    expect(text(root, 'a.txt')).toBe('one\n')
    expect(await redoTurns(at)).toMatchObject({ ok: true })
    expect(world(root)).toEqual(mine)
  })

  test('a change of the user between two turns is not lost either', async () => {
    await turn(at, () => put(root, { 'a.txt': 'two\n' }))
    writeFileSync(join(root, 'a.txt'), 'mine\n')
    await turn(at, () => put(root, { 'a.txt': 'three\n' }))
    expect(await undoTurns(at, { count: 2 })).toMatchObject({ ok: false, conflicts: ['a.txt'] })
    expect(text(root, 'a.txt')).toBe('three\n')
    expect(await undoTurns(at)).toMatchObject({ ok: true })
    expect(text(root, 'a.txt')).toBe('mine\n')
  })

  test('an ignored file that a tool announces is covered, also when a command ran before', async () => {
    const recorder = openRecorder({
      stateFolder: at.stateFolder,
      workspace: openWorkspace(root),
      session: 's',
      now: Date.now,
    })
    recorder.begin('t')
    await recorder.before(run, policyFor(root), never)
    put(root, { 'shell.txt': 'by a command\n' })
    await recorder.before(
      ['out/x.txt', 'out/fresh.txt', 'shell.txt'].map((path) => ({ kind: 'write', path })),
      policyFor(root),
      never,
    )
    put(root, { 'out/x.txt': 'written\n', 'out/fresh.txt': 'f\n', 'shell.txt': 'then by a tool\n' })
    await recorder.end()
    await undoTurns(at)
    expect(text(root, 'out/x.txt')).toBe('x\n')
    expect(existsSync(join(root, 'out/fresh.txt'))).toBe(false)
    expect(existsSync(join(root, 'shell.txt'))).toBe(false)
  })

  test('a rewrite that keeps size and time is seen all the same', async () => {
    utimesSync(join(root, 'a.txt'), 1, 1)
    await turn(at, () => undefined)
    await turn(at, () => {
      writeFileSync(join(root, 'a.txt'), 'two\n')
      utimesSync(join(root, 'a.txt'), 1, 1)
    })
    await undoTurns(at)
    expect(text(root, 'a.txt')).toBe('one\n')
  })
})

test('the user’s own repository is not touched: index, HEAD, refs, config, objects', async () => {
  const root = scratch({ 'a.txt': 'one\n', 'b.txt': 'b\n' })
  git(root, 'init', '-q')
  git(root, 'add', 'a.txt')
  git(root, 'commit', '-qm', 'start')
  git(root, 'add', 'b.txt')
  const at = { root, stateFolder: scratch() }
  const own = () =>
    execFileSync('sh', ['-c', 'find .git -type f | sort | xargs sha256sum'], { cwd: root, encoding: 'utf8' })
  const before = own()
  await turn(at, () => put(root, { 'a.txt': 'two\n', 'c.txt': 'c\n' }))
  await undoTurns(at)
  await redoTurns(at)
  expect(own()).toBe(before)
})

test('nothing that a repository configures runs or converts: filters, hooks, fsmonitor, line ends, encodings', async () => {
  const root = scratch({
    'a.txt': 'one\r\ntwo\r\n',
    'b.bin': 'x\n',
    'i.txt': '$Id$\n',
    '.gitattributes': '* text=auto eol=crlf ident\n*.txt filter=evil\n*.bin working-tree-encoding=UTF-16\n',
  })
  git(root, 'init', '-q')
  const owned = join(root, 'owned')
  for (const name of ['filter.evil.clean', 'filter.evil.smudge', 'filter.evil.process', 'core.fsmonitor'])
    git(root, 'config', name, `touch ${owned}; cat`)
  mkdirSync(join(root, 'hooks'))
  for (const hook of ['post-checkout', 'reference-transaction', 'post-index-change', 'pre-auto-gc']) {
    writeFileSync(join(root, 'hooks', hook), `#!/bin/sh\ntouch ${owned}\n`, { mode: 0o755 })
  }
  git(root, 'config', 'core.hooksPath', join(root, 'hooks'))
  const at = { root, stateFolder: scratch() }
  const before = world(root)
  await turn(at, () => {
    for (const path of ['a.txt', 'b.bin', 'i.txt', '.gitattributes']) rmSync(join(root, path))
  })
  await undoTurns(at)
  await pruneTurns(at, { days: 30, turns: 10, bytes: 1e9, everyHours: 0 }, Date.now())
  expect(world(root)).toEqual(before)
  expect(existsSync(owned)).toBe(false)
})

test('nested repositories and folders that become links are what they are', async () => {
  const root = scratch({ 'lib/inner.txt': 'i\n', 'd/x.txt': 'x\n' })
  const outside = scratch({ 'x.txt': 'not ours\n' })
  git(root, 'init', '-q')
  git(root, 'add', 'd')
  git(join(root, 'lib'), 'init', '-q')
  const at = { root, stateFolder: scratch() }
  const before = world(join(root, 'd')).concat(text(root, 'lib/inner.txt'))
  await turn(at, () => {
    put(root, { 'lib/inner.txt': 'changed\n' })
    rmSync(join(root, 'd'), { recursive: true })
    symlinkSync(outside, join(root, 'd'))
  })
  expect(await undoTurns(at)).toMatchObject({ ok: true })
  expect(world(join(root, 'd')).concat(text(root, 'lib/inner.txt'))).toEqual(before)
  await redoTurns(at)
  expect(readlinkSync(join(root, 'd'))).toBe(outside)
  expect(text(outside, 'x.txt')).toBe('not ours\n')
})

test('a turn that was killed is told of, and taken back only when the user says so', async () => {
  const root = scratch({ 'a.txt': 'one\n' })
  const at = { root, stateFolder: scratch() }
  const recorder = openRecorder({ ...at, workspace: openWorkspace(root), session: 's', now: Date.now })
  recorder.begin('t')
  await recorder.before(run, policyFor(root), never)
  put(root, { 'a.txt': 'two\n', 'b.txt': 'b\n' })
  expect((await listTurns(at))[0]?.state).toBe('cut-short')
  expect(await undoTurns(at)).toMatchObject({ ok: false, conflicts: ['a.txt', 'b.txt'] })
  expect(await undoTurns(at, { force: true })).toMatchObject({ ok: true })
  expect(world(root)).toHaveLength(1)
  expect(text(root, 'a.txt')).toBe('one\n')
})

test('a damaged record is made anew, a damaged list is told', async () => {
  const root = scratch({ 'a.txt': 'one\n' })
  const at = { root, stateFolder: scratch() }
  await turn(at, () => put(root, { 'a.txt': 'two\n' }))
  const [name = ''] = execFileSync('ls', [join(at.stateFolder, 'undo')], { encoding: 'utf8' }).split('\n')
  const folder = join(at.stateFolder, 'undo', name)
  rmSync(join(folder, 'objects.git'), { recursive: true })
  await turn(at, () => put(root, { 'a.txt': 'three\n' }))
  expect(await undoTurns(at)).toMatchObject({ ok: true })
  expect(text(root, 'a.txt')).toBe('two\n')
  writeFileSync(join(folder, 'turns.json'), '{"version":')
  await expect(undoTurns(at)).rejects.toThrow(/turns\.json is damaged/)
})

test('turns are forgotten by age and by number, and their contents with them', async () => {
  const root = scratch({ 'a.txt': 'one\n' })
  const at = { root, stateFolder: scratch() }
  for (let n = 0; n < 4; n += 1) await turn(at, () => put(root, { 'a.txt': `${'x'.repeat(5000)}${n}\n` }))
  await pruneTurns(at, { days: 30, turns: 2, bytes: 1e9, everyHours: 0 }, Date.now())
  expect(await listTurns(at)).toHaveLength(2)
  await undoTurns(at, { count: 2 })
  expect(text(root, 'a.txt')).toContain('x1\n')
  await redoTurns(at, { count: 2 })
  await pruneTurns(at, { days: 30, turns: 2, bytes: 1, everyHours: 0 }, Date.now())
  expect(await listTurns(at)).toHaveLength(0)
  await turn(at, () => put(root, { 'a.txt': 'last\n' }))
  await pruneTurns(at, { days: 30, turns: 2, bytes: 1e9, everyHours: 0 }, Date.now() + 31 * 86_400_000)
  expect(await listTurns(at)).toHaveLength(0)
})

test('a session records what its commands did; a reading turn costs nothing', async () => {
  const command = { name: 'shell', arguments: { command: 'echo two > a.txt; rm b.txt; mkdir n; echo x > n/y' } }
  const at = await stage(
    [{ calls: [{ name: 'list', arguments: {} }] }, { text: 'Seen.' }, { calls: [command] }, { text: 'Done.' }],
    {
      files: { 'a.txt': 'one\n', 'b.txt': 'b\n' },
      mode: 'full-access',
    },
  )
  const place = { root: at.root, stateFolder: at.state }
  await perform(at, 'look')
  expect(existsSync(join(at.state, 'undo'))).toBe(false)
  const before = world(at.root)
  await perform(at, 'do it')
  expect(await listTurns(place)).toMatchObject([{ number: 1, task: 'do it', paths: ['a.txt', 'b.txt', 'n/y'] }])
  expect(await undoTurns(place)).toMatchObject({ ok: true })
  expect(world(at.root)).toEqual(before)
})
