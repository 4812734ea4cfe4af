/** Repositories that want to run a program when we, outside of the box, ask git about them: nothing may be run. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readHeat } from '../../../agent/context/repository/heat.ts'
import { listFiles } from '../../../agent/files.ts'
import { openRecorder } from '../../../agent/undo/recorder.ts'
import { hostGit, openWorkspace, type Policy } from '../../../sandbox/index.ts'
import { takeFromBase } from '../../../src/ci/base-files.ts'
import { openCommitter } from '../../../src/git/commit.ts'
import { openShadow } from '../../../src/git/shadow.ts'
import { openWorktree } from '../../../src/git/worktree.ts'
import { openFileList } from '../../../src/tui/complete/files.ts'

const made: string[] = []
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})
const folderOf = (): string => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hostile-')))
  made.push(folder)
  return folder
}
const git = (cwd: string, ...words: string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], { cwd, encoding: 'utf8', stdio: 'pipe' })

/** A repository with one commit; its only file was touched since, so that git must read it to know whether it differs. */
function repositoryAt(root: string): void {
  mkdirSync(root, { recursive: true })
  git(root, 'init', '-q')
  writeFileSync(join(root, 'f'), 'a\n')
  writeFileSync(join(root, '.gitattributes'), '* filter=x diff=x merge=x\n')
  writeFileSync(join(root, 'AGENTS.md'), 'words\n')
  git(root, 'add', '.')
  git(root, 'commit', '-qm', 'one')
}

/** Every setting of a repository that names a program, and every hook: each notes that it ran, and by what name. */
function arm(root: string, mark: string): void {
  const program = join(folderOf(), 'program')
  writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> ${mark}\ncat 2>/dev/null\n`)
  chmodSync(program, 0o755)
  const names = [
    'core.fsmonitor',
    'filter.x.clean',
    'filter.x.smudge',
    'diff.external',
    'diff.x.textconv',
    'diff.x.command',
  ]
  const more = [
    'gpg.program',
    'core.sshCommand',
    'core.pager',
    'core.editor',
    'core.askPass',
    'merge.x.driver',
    'credential.helper',
  ]
  for (const name of [...names, ...more]) git(root, 'config', name, `${program} ${name}`)
  git(root, 'config', 'filter.y.process', `${program} process`)
  for (const name of ['log.showSignature', 'commit.gpgSign', 'submodule.recurse', 'filter.x.required'])
    git(root, 'config', name, 'true')
  // A remote to fetch missing objects from, by a program.
  for (const [name, value] of [
    ['extensions.partialClone', 'origin'],
    ['remote.origin.promisor', 'true'],
    ['remote.origin.url', root],
    ['remote.origin.uploadpack', `${program} uploadpack`],
    ['protocol.file.allow', 'always'],
  ] as const)
    git(root, 'config', name, value)
  // The same again by a file that is included.
  writeFileSync(join(root, '.git/more'), `[filter "z"]\n\tclean = ${program} included\n`)
  git(root, 'config', 'include.path', 'more')
  writeFileSync(join(root, '.gitattributes'), 'f filter=x diff=x merge=x\ng filter=y\nh filter=z\n')
  for (const name of ['g', 'h']) writeFileSync(join(root, name), 'new\n')
  for (const hook of [
    'post-checkout',
    'pre-commit',
    'post-commit',
    'reference-transaction',
    'post-index-change',
    'pre-push',
  ]) {
    mkdirSync(join(root, '.git/hooks'), { recursive: true })
    writeFileSync(join(root, '.git/hooks', hook), `#!/bin/sh\nexec ${program} hook ${hook}\n`)
    chmodSync(join(root, '.git/hooks', hook), 0o755)
  }
  writeFileSync(join(root, 'f'), 'b\n')
}

const ways: Readonly<Record<string, (root: string, state: string) => Promise<unknown>>> = {
  'the list of files': (root) => listFiles(root),
  'how often files change': (root) => readHeat(root),
  'completion of names': (root) => openFileList(root).ready(),
  '/diff': (root) => hostGit(root, ['diff', '--no-ext-diff', '--no-textconv', '--ignore-submodules=all', 'HEAD']),
  async 'the record of fix and best-of'(root) {
    const shadow = await openShadow(root)
    try {
      const one = await shadow.record()
      writeFileSync(join(root, 'f'), 'c\n')
      const two = await shadow.record()
      expect((await shadow.changes(one, two)).map(({ path }) => path)).toEqual(['f'])
      await shadow.restore(one, ['f'])
      expect(readFileSync(join(root, 'f'), 'utf8')).toBe('b\n')
    } finally {
      shadow.remove()
    }
  },
  async 'a worktree'(root, state) {
    const worktree = await openWorktree({ cwd: root, stateFolder: state, name: 'x' })
    await worktree.unchanged()
    await worktree.remove()
  },
  async 'a commit'(root) {
    const committer = await openCommitter(root)
    writeFileSync(join(root, 'new'), 'new\n')
    expect(await committer.commit({ paths: ['new'], message: 'two' })).toHaveProperty('id')
  },
  'files of the base': (root) => takeFromBase(root, 'HEAD'),
  async undo(root, state) {
    const signal = new AbortController().signal
    const recorder = openRecorder({ stateFolder: state, workspace: openWorkspace(root), session: 'one', now: Date.now })
    const policy: Policy = {
      mode: 'workspace-write',
      roots: [root],
      extraWrite: [],
      denyRead: [],
      network: 'off',
      passEnv: [],
    }
    recorder.begin('task')
    expect(await recorder.before([{ kind: 'run', command: 'x' }], policy, signal)).toBeUndefined()
    writeFileSync(join(root, 'f'), 'c\n')
    expect(await recorder.end()).toBeUndefined()
  },
}

describe.each(Object.keys(ways))('%s', (name) => {
  const way = ways[name]!
  test('runs nothing that the repository names', { timeout: 60_000 }, async () => {
    const root = join(folderOf(), 'work')
    const mark = join(folderOf(), 'ran')
    repositoryAt(root)
    arm(root, mark)
    await way(root, folderOf())
    expect(existsSync(mark) ? readFileSync(mark, 'utf8') : 'nothing').toBe('nothing')
  })

  test('runs nothing that a repository in it names', { timeout: 60_000 }, async () => {
    const root = join(folderOf(), 'work')
    const mark = join(folderOf(), 'ran')
    repositoryAt(root)
    repositoryAt(join(root, 'nested'))
    git(root, '-c', 'advice.addEmbeddedRepo=false', 'add', 'nested')
    git(root, 'commit', '-qm', 'two')
    arm(join(root, 'nested'), mark)
    writeFileSync(join(root, 'f'), 'b\n')
    await way(root, folderOf())
    expect(existsSync(mark) ? readFileSync(mark, 'utf8') : 'nothing').toBe('nothing')
  })
})

test('the settings bite where git is asked without care', () => {
  const root = join(folderOf(), 'work')
  const mark = join(folderOf(), 'ran')
  repositoryAt(root)
  arm(root, mark)
  try {
    git(root, 'status')
  } catch {
    // The programs that ran are no filters.
  }
  expect(readFileSync(mark, 'utf8')).toContain('filter.x.clean')
})

test('a record follows folders that become links or files, files that become folders, and repositories in it', async () => {
  const root = folderOf()
  const put = (name: string): void => {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), name)
  }
  for (const name of ['a/deep/one', 'b/two', 'c', 'other/three', 'odd\nname']) put(name)
  const shadow = await openShadow(root)
  const one = await shadow.record()
  for (const name of ['a', 'b', 'c']) rmSync(join(root, name), { recursive: true })
  symlinkSync('other', join(root, 'a'))
  put('b')
  put('c/four')
  git(root, 'init', '-q', 'empty')
  const two = await shadow.record()
  const told = (await shadow.changes(one, two)).map(({ path, kind }) => `${kind} ${path}`)
  expect(told.sort()).toEqual([
    'added a',
    'added b',
    'added c/four',
    'deleted a/deep/one',
    'deleted b/two',
    'deleted c',
  ])
  shadow.remove()
})

test('a file that the repository wants filtered is not committed as it is', async () => {
  const root = join(folderOf(), 'work')
  repositoryAt(root)
  git(root, 'config', 'filter.x.clean', 'tr a b')
  const committer = await openCommitter(root)
  writeFileSync(join(root, 'new'), 'aaa\n')
  const told = await committer.commit({ paths: ['new'], message: 'two' })
  expect(told).toMatchObject({ refused: expect.stringMatching(/^not committed: new would pass through a program/) })
})

test('a filter with a name that cannot be silenced is refused', async () => {
  const root = join(folderOf(), 'work')
  repositoryAt(root)
  git(root, 'config', 'filter.a=b.clean', 'true')
  await expect(hostGit(root, ['status'])).rejects.toThrow('filter of the name "a=b"')
})
