/** The mounts of a finished box, looked at before its command begins. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commandEnvironment } from '../../sandbox/environment.ts'
import { compareMounts, parseMounts } from '../../sandbox/linux/mounts.ts'
import { bwrapPlan } from '../../sandbox/linux/plan.ts'
import { probeBwrap } from '../../sandbox/linux/probe.ts'
import { runPlan } from '../../sandbox/process.ts'
import { openSessionFolder } from '../../sandbox/session-folder.ts'
import type { SpawnPlan } from '../../sandbox/spawn-plan.ts'
import { policyFor } from './support/agent.ts'

const host = parseMounts(
  [
    '20 1 8:1 / / rw - ext4 /dev/sda1 rw',
    '21 20 0:5 / /proc rw - proc proc rw',
    '22 20 0:6 / /dev rw - devtmpfs dev rw',
    '23 22 0:7 / /dev/pts rw - devpts devpts rw',
    '24 20 8:2 /@home /home rw - btrfs /dev/sda2 rw',
    '25 20 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw',
  ].join('\n'),
)
const args = [
  ...[
    '--ro-bind',
    '/',
    '/',
    '--dev',
    '/dev',
    '--proc',
    '/proc',
    '--tmpfs',
    '/hidden',
    '--bind',
    '/session/tmp',
    '/tmp',
  ],
  ...['--bind', '/home/u/work', '/home/u/work', '--bind', '/home/u/work/n', '/home/u/work/n'],
  ...['--ro-bind', '/home/u/work/.git', '/home/u/work/.git', '--chdir', '/home/u/work'],
]
const asAsked = [
  '40 1 8:1 / / ro,nodev - ext4 /dev/sda1 rw',
  '41 40 0:5 / /proc ro - proc proc rw',
  '42 40 0:6 / /dev ro - devtmpfs dev rw',
  '43 42 0:7 / /dev/pts ro - devpts devpts rw',
  '44 40 8:2 /@home /home ro - btrfs /dev/sda2 rw',
  '45 40 0:30 /../.. /sys/fs/cgroup ro - cgroup2 cgroup2 rw',
  '46 42 0:40 / /dev ro - tmpfs tmpfs rw',
  '47 46 0:6 /null /dev/null rw - devtmpfs dev rw',
  '48 46 0:41 / /dev/pts rw - devpts devpts rw',
  '49 41 0:42 / /proc rw - proc proc rw',
  '50 49 0:42 /sys /proc/sys ro - proc proc rw',
  '51 40 0:43 / /hidden ro - tmpfs tmpfs rw',
  '52 40 8:1 /session/tmp /tmp rw - ext4 /dev/sda1 rw',
  '53 44 8:2 /@home/u/work /home/u/work rw - btrfs /dev/sda2 rw',
  '54 53 8:2 /@home/u/work/n /home/u/work/n rw - btrfs /dev/sda2 rw',
  '55 53 8:2 /@home/u/work/.git /home/u/work/.git ro - btrfs /dev/sda2 rw',
]
const judge = (...box: readonly string[]): string | undefined => compareMounts(args, host, parseMounts(box.join('\n')))
const without = (number: string): string[] => asAsked.filter((line) => !line.startsWith(number))

describe('the mounts of a box', () => {
  test('are right when they are those that were asked for', () => {
    expect(judge(...asAsked)).toBeUndefined()
  })

  test.each([
    ['a folder outside, by its own name', '54', '54 44 8:2 /@home/u/other /home/u/other rw - btrfs /dev/sda2 rw'],
    ['a folder outside, by the name of one inside', '54', '54 53 8:2 /@home/u/other /home/u/work/n rw - btrfs x rw'],
    ['a mount of the host once more', '54', '54 44 8:2 /@home /home rw - btrfs /dev/sda2 rw'],
    ['what is held, writable', '54', '54 53 8:2 /@home/u/work/.git /home/u/work/.git rw - btrfs /dev/sda2 rw'],
    ['what is held, not read-only', '55', '55 53 8:2 /@home/u/work/.git /home/u/work/.git rw - btrfs x rw'],
    ["the host's settings of the kernel", '54', '54 49 0:5 /sys /proc/sys rw - proc proc rw'],
    ["the host's devices", '54', '54 46 0:6 / /dev rw - devtmpfs dev rw'],
    ['another file system', '54', '54 53 8:1 /@home/u/work/n /home/u/work/n rw - ext4 /dev/sda1 rw'],
  ])('are wrong with %s', (_, number, line) => {
    expect(judge(...without(number), line)).toContain(line.split(' ')[4])
  })

  test('are read with the names that the kernel writes in octal digits', () => {
    const [mount] = parseMounts('1 2 8:1 /a\\040b /n\\303\\244\\012x rw shared:1 - ext4 /dev/sda1 rw')
    expect(mount).toEqual({ mountPoint: '/nä\nx', device: '8:1', root: '/a b', readOnly: false, type: 'ext4' })
  })
})

describe('a folder that becomes a link while the box is made', () => {
  let base: string
  let work: string
  beforeEach(() => {
    // Not in /tmp, which commands do not see.
    base = realpathSync(mkdtempSync(path.join(homedir(), '.cachalot-test-')))
    work = path.join(base, 'work')
    for (const folder of ['work/n/.git', 'outside/.git']) mkdirSync(path.join(base, folder), { recursive: true })
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  test('does not open what the link leads to', async () => {
    const folder = openSessionFolder([work], process.env['PATH'] ?? '')
    const probe = await probeBwrap([work], process.env, folder)
    if (!probe.ok) {
      if (process.env['CACHALOT_SANDBOX_REQUIRED'] === '1') throw new Error(probe.problem.message)
      return
    }
    const environment = commandEnvironment({ from: process.env, pass: [], temporary: '/tmp', sandbox: 'bwrap' })
    const { machine, programs } = probe
    const line = `echo it ran; echo x >${base}/outside/written`
    const plan = bwrapPlan({ line }, work, policyFor(work), environment, machine, programs)
    // What a command in the background does between our look at the work tree and bwrap's mounts.
    renameSync(path.join(work, 'n'), path.join(work, 'm'))
    symlinkSync('../outside', path.join(work, 'n'))
    const run = (one: SpawnPlan) =>
      runPlan(one, folder, { limits: { seconds: 20, outputBytes: 10_000 }, signal: new AbortController().signal })

    const held = await run(plan)
    expect(held).toMatchObject({ started: false, output: '' })
    expect(held.misplaced).toContain(`${base}/outside`)
    expect(existsSync(path.join(base, 'outside/written'))).toBe(false)

    // The control: without the look it bites.
    const open = await run({ ...plan, check: () => undefined })
    expect(open).toMatchObject({ started: true, exitCode: 0 })
    expect(existsSync(path.join(base, 'outside/written'))).toBe(true)
  })
})
