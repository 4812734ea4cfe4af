/** Attempts to outlive the command, to harm other processes, and to take more than a share. Bombs are small on purpose. */
import { type Attempt, python, type Result, SYSCALL, type World } from './attempt.ts'

const says =
  (word: string) =>
  (_: World, { output }: Result): boolean =>
    output.includes(word)
/** A process that can be told from others by its command line. */
const sleeper = (world: World, id: string): string => `sh -c 'sleep 60; : ${id}-${world.mark}'`
const survives =
  (id: string) =>
  (world: World): boolean =>
    world.running(`${id}-${world.mark}`)

export const pr: readonly Attempt[] = [
  {
    id: 'pr01',
    what: 'signal a process outside',
    line: (world) => `kill -0 ${world.witness} && echo SIGNALLED`,
    escaped: says('SIGNALLED'),
    control: 'bites',
  },
  {
    id: 'pr02',
    what: 'kill everything',
    line: () => 'kill -9 -1; sleep 0.2',
    escaped: (world) => !world.running(`witness-${world.mark}`),
    control: 'nobody-tried',
  },
  {
    id: 'pr03',
    what: 'leave a background process',
    line: (world) => `${sleeper(world, 'pr03')} & sleep 0.1`,
    escaped: survives('pr03'),
    control: 'bites',
  },
  {
    id: 'pr04',
    what: 'leave a daemon in a session of its own',
    line: (world) => `(setsid ${sleeper(world, 'pr04')} >/dev/null 2>&1 </dev/null &); sleep 0.1`,
    escaped: survives('pr04'),
    control: 'bites',
  },
  {
    id: 'pr05',
    what: 'ignore the signal that ends it',
    line: (world) => `trap '' TERM HUP INT; ${sleeper(world, 'pr05')}; ${sleeper(world, 'pr05')}`,
    escaped: survives('pr05'),
    control: 'bites',
    limits: { seconds: 0.5 },
  },
  {
    id: 'pr06',
    what: 'multiply (150 processes, each in a session of its own)',
    line: (world) =>
      `for n in $(seq 150); do setsid sh -c 'sleep 60; : pr06-${world.mark}' >/dev/null 2>&1 & done; sleep 0.2`,
    escaped: survives('pr06'),
    control: 'bites',
  },
  {
    id: 'pr07',
    what: 'take all memory (here: 400 MB where 100 are allowed)',
    line: (world) => python(world, 'import time; x = bytearray(400_000_000); time.sleep(2); print("GOT", len(x))'),
    escaped: says('GOT'),
    control: 'bites',
    limits: { memoryBytes: 100_000_000 },
  },
  {
    id: 'pr08',
    what: 'make a file larger than allowed (6 GiB with holes)',
    line: () => 'truncate -s 6G huge',
    escaped: (world) => world.size(`${world.work}/huge`) > 4 * 2 ** 30,
    control: 'bites',
  },
  {
    id: 'pr09',
    what: 'flood the output (100 MB)',
    line: () => 'head -c 100000000 /dev/zero | tr "\\0" x',
    escaped: (_, { output }) => output.length > 1_000_000,
    control: 'bites',
  },
  {
    id: 'pr10',
    what: 'wait for input that never comes',
    line: () => 'cat; echo',
    escaped: (_, { outcome }) => outcome === 'timed-out',
    control: 'bites',
    limits: { seconds: 3 },
    openStdin: true,
  },
  {
    id: 'pr11',
    what: 'type into a terminal (TIOCSTI on its own pseudo-terminal)',
    line: (world) =>
      python(
        world,
        `import fcntl, os, pty, time
pid, fd = pty.fork()
if pid == 0:
    try: fcntl.ioctl(0, 0x5412, b'x'); os.write(1, b'TYPED')
    except OSError as e: os.write(1, str(e).encode())
    os._exit(0)
time.sleep(0.2); print(os.read(fd, 100))`,
      ),
    escaped: says('TYPED'),
    control: 'root',
  },
  {
    id: 'pr12',
    what: 'raise its own priority, limits or protection from the out-of-memory killer',
    line: (world) =>
      `renice -n -5 -p $$ >/dev/null 2>&1 && echo RAISED; echo -900 >/proc/self/oom_score_adj && echo RAISED
${python(
  world,
  `${SYSCALL}
import resource
try: resource.setrlimit(resource.RLIMIT_NOFILE, (2000000 // 2, 2000000 // 2)); print('RAISED')
except (OSError, ValueError) as e: print(e)`,
)}`,
    escaped: says('RAISED'),
    control: 'root',
  },
]
