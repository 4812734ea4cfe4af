/** Attempts on the kernel itself. */
import { architectures } from '../../../sandbox/linux/syscalls.ts'
import { type Attempt, python, type Result, SYSCALL, type World } from './attempt.ts'

const numbers = architectures[process.arch]?.numbers ?? {}
const says =
  (word: string) =>
  (_: World, { output }: Result): boolean =>
    output.includes(word)

export const k: readonly Attempt[] = [
  {
    id: 'k01',
    what: 'io_uring',
    // Without a parameter block the kernel answers EFAULT: it was reached.
    line: (world) =>
      python(world, `${SYSCALL}\nprint('REFUSED' if refused(call(${numbers['io_uring_setup']}, 1, 0)) else 'REACHED')`),
    escaped: says('REACHED'),
    control: 'bites',
  },
  {
    id: 'k02',
    what: 'bpf, perf events, userfaultfd',
    line: (world) =>
      python(
        world,
        `${SYSCALL}
for name, got in (('uffd', call(${numbers['userfaultfd']}, 1)), ('perf', call(${numbers['perf_event_open']}, 0, 0, 0, 0, 0)), ('bpf', call(${numbers['bpf']}, 0, 0, 0))):
    print(name, 'REFUSED' if refused(got) else 'REACHED')`,
      ),
    escaped: says('REACHED'),
    control: 'bites',
  },
  {
    id: 'k03',
    what: "enter another process' mount namespace",
    line: (world) =>
      `nsenter --mount=/proc/${world.witness}/ns/mnt touch ${world.outside}/k03; nsenter -t 1 -m touch ${world.outside}/k03`,
    escaped: (world) => world.exists(`${world.outside}/k03`),
    control: 'root',
  },
  {
    id: 'k04',
    what: 'hold capabilities, or get them in a namespace of its own',
    line: () => 'grep -E "Cap(Eff|Prm|Bnd|Amb)" /proc/self/status; unshare -Ur grep CapEff /proc/self/status',
    escaped: (_, { output }) => /Cap\w+:\s+0*[1-9a-f]/.test(output),
    control: 'bites',
  },
]
