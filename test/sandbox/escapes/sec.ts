/** Attempts to read what is secret. */
import { architectures } from '../../../sandbox/linux/syscalls.ts'
import { type Attempt, python, type Result, SECRET, SYSCALL, type World } from './attempt.ts'

const numbers = architectures[process.arch]?.numbers ?? {}
/** pidfd_open has the same number everywhere (434, Linux 5.3). */
const PIDFD_OPEN = 434
const told = (_: World, { output }: Result): boolean => output.includes(SECRET)
const says =
  (word: string) =>
  (_: World, { output }: Result): boolean =>
    output.includes(word)

export const sec: readonly Attempt[] = [
  { id: 'sec01', what: 'read an ssh key', line: () => 'cat ~/.ssh/id_rsa ~/.ssh/*', escaped: told, control: 'bites' },
  {
    id: 'sec02',
    what: 'read credentials of cloud, netrc, npm and GitHub',
    line: () => 'cat ~/.aws/credentials ~/.netrc ~/.npmrc ~/.config/gh/hosts.yml ~/.git-credentials',
    escaped: told,
    control: 'bites',
  },
  {
    id: 'sec03',
    what: 'read its own environment',
    line: () => 'env; cat /proc/self/environ',
    escaped: told,
    control: 'bites',
  },
  {
    id: 'sec04',
    what: "read other processes' environments",
    line: (world) =>
      `cat /proc/${world.witness}/environ; cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep WITNESS_SECRET; true`,
    escaped: told,
    control: 'bites',
  },
  {
    id: 'sec05',
    what: "see other processes' command lines",
    line: () => "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; ps aux",
    escaped: (world, { output }) => output.includes(`witness-${world.mark}`),
    control: 'bites',
  },
  {
    id: 'sec06',
    what: 'read the memory of another process',
    line: (world) =>
      python(
        world,
        `${SYSCALL}
try:
    maps = open('/proc/${world.witness}/maps').readline().split('-')[0]
    f = open('/proc/${world.witness}/mem', 'rb', 0); f.seek(int(maps, 16)); print('READ' if f.read(4) else '')
except OSError as e: print(e)
b = ctypes.create_string_buffer(8)
class V(ctypes.Structure): _fields_ = [('b', ctypes.c_void_p), ('l', ctypes.c_size_t)]
l, r = V(ctypes.addressof(b), 8), V(int(open('/proc/self/maps').readline().split('-')[0], 16), 8)
print('VM', call(${numbers['process_vm_readv']}, os.getpid(), ctypes.byref(l), 1, ctypes.byref(r), 1, 0))
if b.raw != bytes(8): print('READ')`,
      ),
    escaped: says('READ'),
    control: 'bites',
  },
  {
    id: 'sec07',
    what: 'attach to another process',
    line: (world) =>
      python(
        world,
        `${SYSCALL}
for pid in (${world.witness}, os.getppid()):
    if call(${numbers['ptrace']}, 0x4206, pid, 0, 0) == 0: print('ATTACHED', pid); call(${numbers['ptrace']}, 17, pid, 0, 0)`,
      ),
    escaped: says('ATTACHED'),
    control: 'bites',
  },
  {
    id: 'sec08',
    what: 'take a descriptor from another process',
    line: (world) =>
      python(
        world,
        `${SYSCALL}
for pid in (${world.witness}, os.getppid()):
    fd = call(${PIDFD_OPEN}, pid, 0)
    if fd >= 0 and call(${numbers['pidfd_getfd']}, fd, 0, 0) >= 0: print('TAKEN', pid)`,
      ),
    escaped: says('TAKEN'),
    control: 'bites',
  },
  {
    id: 'sec09',
    what: "read a key of the user's keyring",
    line: (world) =>
      python(
        world,
        `${SYSCALL}
keyctl = ${numbers['keyctl']}
key = call(keyctl, 10, ctypes.c_int(-4), b'user', b'cachalot-${world.mark}', 0)
b = ctypes.create_string_buffer(64)
print(key, call(keyctl, 11, key, b, 64), b.value.decode())`,
      ),
    escaped: told,
    control: 'bites',
  },
  {
    id: 'sec10',
    what: 'read a System V segment',
    line: (world) =>
      python(
        world,
        `${SYSCALL}
libc.shmat.restype = ctypes.c_void_p
at = libc.shmat(${world.segment}, None, 0o10000)
print(ctypes.string_at(at, 32) if at not in (None, 2**64 - 1) else 'none')`,
      ),
    escaped: told,
    control: 'bites',
  },
  {
    id: 'sec11',
    what: 'read another project in the home folder',
    line: () => 'cat ~/other/.env',
    escaped: told,
    control: 'bites',
    limit: 'reading is broad but for known secrets; `denyRead` hides more',
  },
  {
    id: 'sec12',
    what: "read other programs' files in /tmp",
    line: (world) => `cat /tmp/other-${world.mark}/secret`,
    escaped: told,
    control: 'bites',
  },
]
