/** The arguments of bubblewrap, and what they are made from. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Policy } from '../../sandbox/index.ts'
import { findProgram } from '../../sandbox/linux/binary.ts'
import { bwrapProfile, type Machine } from '../../sandbox/linux/bwrap.ts'
import { listeningSockets, MAX_SOCKETS, secretMasks } from '../../sandbox/linux/masks.ts'
import { protectedPaths } from '../../sandbox/protect.ts'
import { policyFor } from './support/agent.ts'

let base: string
let home: string
let work: string
beforeEach(() => {
  base = realpathSync(mkdtempSync(path.join(tmpdir(), 'profile-')))
  home = path.join(base, 'home')
  work = path.join(home, 'work')
  mkdirSync(work, { recursive: true })
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const put = (file: string, content = ''): void => {
  mkdirSync(path.dirname(path.join(base, file)), { recursive: true })
  writeFileSync(path.join(base, file), content)
}
const machine = (change: Partial<Machine> = {}): Machine => ({
  home,
  hidden: ['/hidden'],
  root: false,
  disableUserns: true,
  session: '/session',
  ...change,
})
/** The arguments as lines, one option each, with the changing folder replaced. */
const lines = (policy: Policy, sockets: readonly string[] | undefined = [], change: Partial<Machine> = {}): string[] =>
  bwrapProfile(policy, work, machine(change), { sockets })
    .args.join(' ')
    .replaceAll(base, '<base>')
    .split(/ (?=--)/)

describe('the profile', () => {
  test('of a work tree with nothing special in it', () => {
    expect(lines(policyFor(work))).toEqual([
      ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--unshare-net'],
      ...['--die-with-parent', '--new-session', '--hostname sandbox', '--cap-drop ALL', '--disable-userns'],
      ...['--ro-bind / /', '--dev /dev', '--proc /proc'],
      ...['--size 1073741824', '--tmpfs /dev/shm', '--remount-ro /dev'],
      ...['--size 1073741824', '--tmpfs /hidden', '--bind /session/tmp /tmp'],
      '--bind <base>/home/work <base>/home/work',
      '--remount-ro /hidden',
      ...['--chdir <base>/home/work', '--seccomp 3', '--json-status-fd 4'],
    ])
  })

  test('takes back from root what bwrap leaves it', () => {
    expect(lines(policyFor(work), [], { root: true })).toContain('--ro-bind /proc/sys /proc/sys')
  })

  test('leaves out what an old bwrap does not know', () => {
    expect(lines(policyFor(work), [], { disableUserns: false })).not.toContain('--disable-userns')
  })

  test('keeps the host network only when it is asked for', () => {
    expect(lines(policyFor(work, { network: 'full' }))).not.toContain('--unshare-net')
  })

  test('stays in the network that it was started in only when it was started in one', () => {
    const args = (joinsNetwork: boolean): readonly string[] =>
      bwrapProfile(policyFor(work), work, machine(), { sockets: [], joinsNetwork }).args
    expect(args(true)).not.toContain('--unshare-net')
    expect(args(false)).toContain('--unshare-net')
  })

  test('mounts nothing writable in read-only mode but the private /tmp', () => {
    const got = lines(policyFor(work, { mode: 'read-only', extraWrite: [home] }))
    expect(got.filter((line) => line.startsWith('--bind'))).toEqual(['--bind /session/tmp /tmp'])
    expect(got).toContain('--ro-bind <base>/home/work <base>/home/work')
  })

  test('holds git metadata, of nested repositories too, and pins the folders above', () => {
    put('home/work/.git/config')
    put('home/work/packages/one/.git/config')
    put('home/work/.github/workflows/ci.yml')
    put('home/work/AGENTS.md')
    const got = lines(policyFor(work)).filter((line) => line.includes('<base>/home/work/'))
    expect(got.map((line) => line.replace(/ \S+$/, ''))).toEqual([
      '--bind <base>/home/work/.github',
      '--bind <base>/home/work/packages',
      '--bind <base>/home/work/packages/one',
      '--ro-bind <base>/home/work/.git',
      '--ro-bind <base>/home/work/AGENTS.md',
      '--ro-bind <base>/home/work/.github/workflows',
      '--ro-bind <base>/home/work/packages/one/.git',
    ])
  })

  test('empties secret folders and files, and hides listening sockets', () => {
    put('home/.ssh/id_rsa', 'key')
    put('home/.netrc', 'key')
    put('home/deep/hidden', 'key')
    const policy = policyFor(work, { denyRead: [path.join(home, 'deep/hidden'), path.join(home, 'nope')] })
    const got = lines(policy, [path.join(home, 'app.sock'), path.join(home, '.ssh/agent.sock'), '/dev/x', '/hidden/x'])
    const at = got.indexOf('--bind <base>/home/work <base>/home/work')
    expect(got.slice(at + 1, at + 6)).toEqual([
      '--tmpfs <base>/home/.ssh',
      '--remount-ro <base>/home/.ssh',
      '--ro-bind /session/empty <base>/home/.netrc',
      '--ro-bind /session/empty <base>/home/deep/hidden',
      '--ro-bind /session/empty <base>/home/app.sock',
    ])
    expect(got.join()).not.toMatch(/agent\.sock|\/dev\/x|\/hidden\/x/)
  })

  test('refuses all unix sockets when there are too many to hide', () => {
    expect(bwrapProfile(policyFor(work), work, machine(), { sockets: [] }).unix).toBe('isolated')
    expect(bwrapProfile(policyFor(work), work, machine(), { sockets: undefined }).unix).toBe('deny')
    const many = Array.from({ length: MAX_SOCKETS + 1 }, (_, at) => path.join(base, `s${at}`))
    for (const file of many) writeFileSync(file, '')
    const table = ['Num RefCount', ...many.map((file) => `0: 2 0 00010000 0001 01 1 ${file}`)].join('\n')
    expect(listeningSockets(table)).toBeUndefined()
  })

  test('opens a root that lies in a secret folder, and nothing else of that folder', () => {
    put('home/.docker/config.json', 'key')
    const root = path.join(home, '.docker/project')
    mkdirSync(root)
    const got = lines(policyFor(root))
    const order = [
      '--tmpfs <base>/home/.docker',
      `--bind ${root} ${root}`.replaceAll(base, '<base>'),
      '--remount-ro <base>/home/.docker',
    ]
    expect(order.map((line) => got.indexOf(line))).toEqual(order.map((line) => got.indexOf(line)).sort((a, b) => a - b))
    for (const line of order) expect(got).toContain(line)
  })
})

describe('secrets', () => {
  test('are hidden under their real name', () => {
    put('home/dotfiles/ssh/id', 'key')
    symlinkSync('dotfiles/ssh', path.join(home, '.ssh'))
    expect(secretMasks(home, [])).toEqual([{ path: path.join(home, 'dotfiles/ssh'), kind: 'folder' }])
  })

  test('inside a hidden folder are not hidden twice', () => {
    put('home/.docker/config.json')
    const masks = secretMasks(home, [path.join(home, '.docker/config.json')])
    expect(masks).toEqual([{ path: path.join(home, '.docker'), kind: 'folder' }])
  })
})

describe('listening sockets', () => {
  test('are read from the kernel: listening ones with a path that exists', () => {
    put('a b.sock')
    put('c.sock')
    const row = (flags: string, file: string): string => `0000: 00000002 00000000 ${flags} 0001 01 12345 ${file}`
    const table = [
      'Num RefCount Protocol Flags Type St Inode Path',
      row('00010000', `${base}/a b.sock`),
      row('00000000', `${base}/c.sock`),
    ]
    const more = [row('00010000', '@abstract'), row('00010000', `${base}/gone`), '']
    expect(listeningSockets([...table, ...more].join('\n'))).toEqual([`${base}/a b.sock`])
  })
})

describe('protected paths', () => {
  test('follow pointer files to the folders they name, when these are writable', () => {
    put('home/work/.bare/HEAD')
    put('home/work/.bare/worktrees/main/commondir', '../..\n')
    put('home/work/main/.git', 'gitdir: ../.bare/worktrees/main\n')
    put('elsewhere/HEAD')
    put('home/work/sub/.git', `gitdir: ${base}/elsewhere\n`)
    expect(
      protectedPaths(work, [])
        .map((file) => path.relative(work, file))
        .sort(),
    ).toEqual(['.bare', '.bare/worktrees/main', 'main/.git', 'sub/.git'])
  })

  test('are looked for four folders deep, not in node_modules', () => {
    put('home/work/a/b/c/d/.git/config')
    put('home/work/a/b/c/d/e/.git/config')
    put('home/work/node_modules/x/.git/config')
    expect(protectedPaths(work, [])).toEqual([path.join(work, 'a/b/c/d/.git')])
  })

  test('once found are not forgotten, however many folders are made before them', () => {
    put('home/work/z/.git/config')
    expect(protectedPaths(work, [])).toEqual([path.join(work, 'z/.git')])
    for (let folder = 0; folder < 4100; folder++) mkdirSync(path.join(work, `a${folder}`))
    expect(protectedPaths(work, [])).toEqual([path.join(work, 'z/.git')])
    rmSync(path.join(work, 'z'), { recursive: true })
    expect(protectedPaths(work, [])).toEqual([])
  })

  test('are not the link itself, which no mount can hold, but what it leads to', () => {
    put('home/work/real/HEAD')
    symlinkSync('real', path.join(work, '.git'))
    expect(protectedPaths(work, [])).toEqual([path.join(work, 'real')])
  })
})

describe('a program', () => {
  test('is taken neither from the work tree, nor through a link into it, nor from a relative entry', () => {
    put('home/work/bin/tool')
    put('bin/tool')
    for (const file of ['home/work/bin/tool', 'bin/tool']) chmodSync(path.join(base, file), 0o755)
    mkdirSync(path.join(base, 'links'))
    symlinkSync('../home/work/bin/tool', path.join(base, 'links/tool'))
    const variable = `${work}/bin:.:bin:${base}/links:${base}/bin`
    expect(findProgram('tool', variable, [work])).toBe(path.join(base, 'bin/tool'))
    expect(findProgram('tool', `${work}/bin`, [work])).toBeUndefined()
    expect(findProgram('tool', `${work}/bin`, [])).toBe(path.join(work, 'bin/tool'))
  })

  test('is found in the usual places when PATH is empty', () => {
    expect(findProgram('sh', '', [])).toMatch(/^\/.+/)
    expect(execFileSync(findProgram('sh', '', [])!, ['-c', 'echo ok'], { encoding: 'utf8' })).toBe('ok\n')
  })
})
