/** The system call filter of a command: a classic BPF program, made here as bytes and handed to bwrap by descriptor. */
import { architectures } from './syscalls.ts'

export interface FilterOptions {
  /** Node's name of the architecture; default this machine's. */
  readonly arch?: string
  /** `deny` refuses AF_UNIX sockets too: for hosts with more listening sockets than can be hidden one by one. */
  readonly unix?: 'isolated' | 'deny'
  /** `deny` refuses internet sockets: for commands that have no network namespace of their own. */
  readonly network?: 'isolated' | 'deny'
}

/** Instruction classes of linux/filter.h: load a word at an absolute offset, compare and jump, return. */
const LOAD = 0x20
const EQUAL = 0x15
const AT_LEAST = 0x35
const ANY_BIT = 0x45
const RETURN = 0x06

/** Verdicts of linux/seccomp.h. */
export const ALLOW = 0x7fff0000
export const KILL = 0x80000000
export const errno = (code: number): number => 0x00050000 | code
export const EPERM = 1
export const ENOSYS = 38

/** Offsets in struct seccomp_data; both supported architectures are little endian, so an argument's low word is first. */
const NUMBER = 0
const ARCH = 4
const argument = (index: number): number => 16 + 8 * index

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; NEWTIME only exists for unshare. */
const NEW_NAMESPACES = 0x7e020000
const NEW_TIME_NAMESPACE = 0x80
const SUID_SGID = 0o6000
/** O_CREAT and the bit of its own of O_TMPFILE: only with one of them does open() look at a mode. */
const CREATES = 0o100 | 0o20000000
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c
const AF_UNIX = 1
const AF_INET = 2
const AF_INET6 = 10
const AF_NETLINK = 16

/** Refused with EPERM whatever the arguments. Reading other processes, kernel attack surface, mounts, time, machine. */
const DENIED = [
  ...['ptrace', 'process_vm_readv', 'process_vm_writev', 'pidfd_getfd', 'kcmp'],
  ...['io_uring_setup', 'io_uring_enter', 'io_uring_register', 'bpf', 'perf_event_open', 'userfaultfd'],
  ...['add_key', 'request_key', 'keyctl', 'open_by_handle_at', 'name_to_handle_at', 'fanotify_init'],
  ...['mount', 'umount2', 'pivot_root', 'move_mount', 'open_tree', 'open_tree_attr', 'fsopen', 'fsconfig', 'fsmount'],
  ...['fspick', 'mount_setattr', 'chroot', 'setns', 'sethostname', 'setdomainname'],
  ...['init_module', 'finit_module', 'delete_module', 'kexec_load', 'kexec_file_load', 'reboot', 'swapon', 'swapoff'],
  ...['acct', 'quotactl', 'quotactl_fd', 'syslog', 'iopl', 'ioperm', 'modify_ldt', 'vhangup', 'lookup_dcookie'],
  ...['nfsservctl', 'uselib', 'settimeofday', 'clock_settime', 'adjtimex', 'clock_adjtime'],
]

/** Refused as if the kernel were older: callers fall back to a call whose arguments a filter can see. */
const ABSENT = ['clone3', 'openat2']

/** Calls that set a mode, and which argument it is. `flags` is the argument that tells whether the mode counts. */
const MODES: readonly { readonly name: string; readonly mode: number; readonly flags?: number }[] = [
  { name: 'chmod', mode: 1 },
  { name: 'fchmod', mode: 1 },
  { name: 'fchmodat', mode: 2 },
  { name: 'fchmodat2', mode: 2 },
  { name: 'creat', mode: 1 },
  { name: 'mknod', mode: 1 },
  { name: 'mknodat', mode: 2 },
  { name: 'open', mode: 2, flags: 1 },
  { name: 'openat', mode: 3, flags: 2 },
]

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number]

/**
 * The filter as an array of `struct sock_filter` (8 bytes each, little endian).
 * Throws RangeError for an architecture it was not written for.
 */
export function seccompFilter(options: FilterOptions = {}): Buffer {
  const arch = options.arch ?? process.arch
  const table = architectures[arch]
  if (table === undefined) throw new RangeError(`no system call filter for architecture ${arch}`)
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCH],
    [EQUAL, 1, 0, table.audit],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, NUMBER],
  ]
  if (table.x32Bit !== undefined) {
    program.push([AT_LEAST, 0, 1, table.x32Bit], [RETURN, 0, 0, errno(ENOSYS)])
  }
  /** Runs `body` for one call and lets every other call pass it by. The body must end in a verdict. */
  const forCall = (name: string, body: readonly Instruction[]): void => {
    const number = table.numbers[name]
    if (number !== undefined) program.push([EQUAL, 0, body.length, number], ...body)
  }
  const refuse: Instruction = [RETURN, 0, 0, errno(EPERM)]
  const allow: Instruction = [RETURN, 0, 0, ALLOW]

  for (const name of DENIED) forCall(name, [refuse])
  for (const name of ABSENT) forCall(name, [[RETURN, 0, 0, errno(ENOSYS)]])
  forCall('unshare', [[LOAD, 0, 0, argument(0)], [ANY_BIT, 0, 1, NEW_NAMESPACES | NEW_TIME_NAMESPACE], refuse, allow])
  forCall('clone', [[LOAD, 0, 0, argument(0)], [ANY_BIT, 0, 1, NEW_NAMESPACES], refuse, allow])
  forCall('ioctl', [[LOAD, 0, 0, argument(1)], [EQUAL, 1, 0, TIOCSTI], [EQUAL, 0, 1, TIOCLINUX], refuse, allow])
  for (const { name, mode, flags } of MODES) {
    const test: Instruction[] = [[LOAD, 0, 0, argument(mode)], [ANY_BIT, 0, 1, SUID_SGID], refuse, allow]
    const guard: Instruction[] =
      flags === undefined
        ? []
        : [
            [LOAD, 0, 0, argument(flags)],
            [ANY_BIT, 0, 3, CREATES],
          ]
    forCall(name, [...guard, ...test])
  }
  const families = [
    ...(options.network === 'deny' ? [] : [AF_INET, AF_INET6, AF_NETLINK]),
    ...(options.unix === 'deny' ? [] : [AF_UNIX]),
  ]
  forCall('socket', [
    [LOAD, 0, 0, argument(0)],
    ...families.map((family, index): Instruction => [EQUAL, families.length - index, 0, family]),
    refuse,
    allow,
  ])
  program.push(allow)
  return encode(program)
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8)
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(ifTrue, index * 8 + 2)
    bytes.writeUInt8(ifFalse, index * 8 + 3)
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4)
  }
  return bytes
}
