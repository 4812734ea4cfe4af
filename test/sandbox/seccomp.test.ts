import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { ALLOW, ENOSYS, EPERM, errno, KILL, seccompFilter } from '../../sandbox/linux/seccomp.ts'
import { architectures } from '../../sandbox/linux/syscalls.ts'
import { evaluate } from './support/bpf.ts'

const NEWUSER = 0x10000000
const NEWNS = 0x00020000
const CREATE = 0o100

/** Calls that programs cannot do without, by architecture. */
const EVERYDAY = {
  x64: {
    read: 0,
    write: 1,
    mmap: 9,
    execve: 59,
    fork: 57,
    kill: 62,
    pipe2: 293,
    futex: 202,
    epoll_wait: 232,
    statx: 332,
  },
  arm64: { read: 63, write: 64, mmap: 222, execve: 221, kill: 129, pipe2: 59, futex: 98, epoll_pwait: 22, statx: 291 },
}

describe.each(['x64', 'arm64'] as const)('the filter on %s', (arch) => {
  const filter = seccompFilter({ arch })
  const verdict = (call: string | number, ...args: number[]): number => evaluate(filter, { arch, call, args })

  test('lets everyday calls pass', () => {
    for (const number of Object.values(EVERYDAY[arch])) expect(verdict(number, 4, 4, 4)).toBe(ALLOW)
  })

  test.each([
    ...['ptrace', 'process_vm_readv', 'process_vm_writev', 'pidfd_getfd', 'io_uring_setup', 'bpf', 'perf_event_open'],
    ...['userfaultfd', 'keyctl', 'add_key', 'request_key', 'mount', 'umount2', 'pivot_root', 'move_mount', 'open_tree'],
    ...['fsopen', 'mount_setattr', 'chroot', 'setns', 'init_module', 'kexec_load', 'reboot', 'open_by_handle_at'],
    ...['name_to_handle_at', 'quotactl', 'syslog', 'clock_settime', 'swapon', 'sethostname'],
  ])('refuses %s', (call) => expect(verdict(call)).toBe(errno(EPERM)))

  test('lets callers fall back from calls whose arguments it cannot see', () => {
    expect(verdict('clone3')).toBe(errno(ENOSYS))
    expect(verdict('openat2')).toBe(errno(ENOSYS))
  })

  test('refuses new namespaces and nothing else of clone and unshare', () => {
    expect(verdict('clone', 0x11)).toBe(ALLOW)
    expect(verdict('clone', 0x003d0f00)).toBe(ALLOW)
    expect(verdict('clone', 0x11 | NEWUSER)).toBe(errno(EPERM))
    expect(verdict('unshare', NEWNS)).toBe(errno(EPERM))
    expect(verdict('unshare', 0x80)).toBe(errno(EPERM))
    expect(verdict('unshare', 0x400)).toBe(ALLOW)
  })

  test('refuses typing into a terminal', () => {
    expect(verdict('ioctl', 0, 0x5412)).toBe(errno(EPERM))
    expect(verdict('ioctl', 0, 0x541c)).toBe(errno(EPERM))
    // The kernel looks at the low word only, so a high one must not hide it.
    expect(verdict('ioctl', 0, 0x1_0000_5412)).toBe(errno(EPERM))
    expect(verdict('ioctl', 0, 0x5413)).toBe(ALLOW)
  })

  test('refuses set-uid and set-gid files by every way to make one', () => {
    expect(verdict('fchmod', 3, 0o4755)).toBe(errno(EPERM))
    expect(verdict('fchmodat', -100, 0, 0o2755)).toBe(errno(EPERM))
    expect(verdict('fchmodat2', -100, 0, 0o6755)).toBe(errno(EPERM))
    expect(verdict('mknodat', -100, 0, 0o104755)).toBe(errno(EPERM))
    expect(verdict('openat', -100, 0, CREATE, 0o4755)).toBe(errno(EPERM))
    expect(verdict('openat', -100, 0, 0o20200000, 0o4755)).toBe(errno(EPERM))
    expect(verdict('fchmodat', -100, 0, 0o1777)).toBe(ALLOW)
    expect(verdict('openat', -100, 0, CREATE, 0o644)).toBe(ALLOW)
    // Without O_CREAT the mode is whatever lay in the register.
    expect(verdict('openat', -100, 0, 0, 0o4755)).toBe(ALLOW)
    if (arch === 'x64') {
      expect(verdict('chmod', 0, 0o4755)).toBe(errno(EPERM))
      expect(verdict('creat', 0, 0o4755)).toBe(errno(EPERM))
      expect(verdict('open', 0, CREATE, 0o4755)).toBe(errno(EPERM))
      expect(verdict('open', 0, 0, 0o4755)).toBe(ALLOW)
    }
  })

  test('allows only the sockets that a confined network has', () => {
    for (const family of [1, 2, 10, 16]) expect(verdict('socket', family)).toBe(ALLOW)
    for (const family of [0, 17, 38, 40, 44]) expect(verdict('socket', family)).toBe(errno(EPERM))
    const closed = seccompFilter({ arch, unix: 'deny' })
    expect(evaluate(closed, { arch, call: 'socket', args: [1] })).toBe(errno(EPERM))
    expect(evaluate(closed, { arch, call: 'socket', args: [2] })).toBe(ALLOW)
  })

  test('kills a process that speaks for another architecture', () => {
    expect(evaluate(filter, { arch, call: 0, audit: 0x40000003 })).toBe(KILL)
  })

  test('fits the kernel: at most 4096 instructions, every path ends', () => {
    expect(filter.length / 8).toBeLessThan(4096)
    for (let number = 0; number < 600; number++) verdict(number, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff)
  })
})

test('the x32 door is shut on x64', () => {
  const x32 = (architectures['x64']?.x32Bit ?? 0) + 101
  expect(evaluate(seccompFilter({ arch: 'x64' }), { arch: 'x64', call: x32 })).toBe(errno(ENOSYS))
})

test('an architecture without a table is an error, not an empty filter', () => {
  expect(() => seccompFilter({ arch: 'mips' })).toThrow(RangeError)
})

test('the numbers of this machine are those of its own kernel headers, where these are installed', () => {
  const table = architectures[process.arch]!
  const names = Object.keys(table.numbers)
  const source = [
    '#include <sys/syscall.h>',
    ...names.map((name) => `#ifdef SYS_${name}\n=${name} SYS_${name}\n#endif`),
  ]
  let text: string
  try {
    text = execFileSync('cc', ['-E', '-P', '-'], {
      input: source.join('\n'),
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    })
  } catch {
    // No compiler or headers: the table was checked where there are some. Said aloud, so that nobody takes it for a check.
    console.warn('seccomp.test: no C preprocessor here; syscall numbers not compared with kernel headers')
    return
  }
  for (const [, name, number] of text.matchAll(/^=(\w+) (\d+)$/gm)) {
    expect([name, Number(number)]).toEqual([name, table.numbers[name ?? '']])
  }
})
