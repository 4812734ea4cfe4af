/** Attempts to write where no root is. */
import { architectures } from '../../../sandbox/linux/syscalls.ts'
import { type Attempt, python, SYSCALL, type World } from './attempt.ts'

const numbers = architectures[process.arch]?.numbers ?? {}
/** The file that the attempt would leave. */
const trace = (world: World, id: string): string => `${world.outside}/${id}`
const left =
  (id: string) =>
  (world: World): boolean =>
    world.exists(trace(world, id))
const says =
  (word: string) =>
  (_: World, result: { readonly output: string }): boolean =>
    result.output.includes(word)

export const fs: readonly Attempt[] = [
  {
    id: 'fs01',
    what: 'write an absolute path outside',
    line: (world) => `echo x >${trace(world, 'fs01')}`,
    escaped: left('fs01'),
    control: 'bites',
  },
  {
    id: 'fs02',
    what: 'write through ..',
    line: () => 'echo x >../outside/fs02',
    escaped: left('fs02'),
    control: 'bites',
  },
  {
    id: 'fs03',
    what: 'write through a link made for it',
    line: (world) => `ln -s ${world.outside} made && echo x >made/fs03`,
    escaped: left('fs03'),
    control: 'bites',
  },
  {
    id: 'fs04',
    what: 'write through a link that the repository ships',
    line: () => 'echo x >shipped/fs04',
    escaped: left('fs04'),
    control: 'bites',
  },
  {
    id: 'fs05',
    what: 'hard-link a file from outside and append to it',
    line: (world) => `ln ${world.outside}/victim hard && echo changed >>hard`,
    escaped: (world) => world.read(`${world.outside}/victim`)?.includes('changed') === true,
    control: 'bites',
  },
  {
    id: 'fs06',
    what: 'append to a hard link that was there before',
    line: () => 'echo changed >>premade',
    escaped: (world) => world.read(`${world.outside}/linked`)?.includes('changed') === true,
    control: 'bites',
    limit: 'a hard link made on the host is the same file under another name',
  },
  {
    id: 'fs07',
    what: 'write through /proc/self/root',
    line: (world) => `echo x >/proc/self/root${trace(world, 'fs07')}`,
    escaped: left('fs07'),
    control: 'bites',
  },
  {
    id: 'fs08',
    what: "write through other processes' root and cwd",
    line: (world) =>
      `for p in 1 ${world.witness} $(ls /proc | grep -E '^[0-9]+$'); do
         echo x >/proc/$p/root${trace(world, 'fs08')}; echo x >/proc/$p/cwd/../outside/fs08
       done 2>/dev/null; true`,
    escaped: left('fs08'),
    control: 'bites',
  },
  {
    id: 'fs09',
    what: 'remount everything writable',
    line: (world) =>
      `mount -o remount,rw /; mount -o remount,rw,bind ${world.home}; mkdir -p m; mount --bind ${world.outside} m
       echo x >${trace(world, 'fs09')}`,
    escaped: left('fs09'),
    control: 'bites',
  },
  {
    id: 'fs10',
    what: 'undo the mounts in new user and mount namespaces',
    line: (world) =>
      `unshare -Urm sh -c 'umount -l ${world.work}; mount -o remount,rw,bind /; echo x >${trace(world, 'fs10')}'
       unshare -m sh -c 'mount -o remount,rw,bind /; echo x >${trace(world, 'fs10')}'`,
    escaped: left('fs10'),
    control: 'bites',
  },
  {
    id: 'fs11',
    what: 'leave a set-uid program in the work tree',
    line: (world) =>
      `cp /bin/true suid; chmod 4755 suid; chmod u+s suid\n${python(world, "import os; os.close(os.open('suid2', os.O_CREAT | os.O_WRONLY, 0o4755))")}`,
    escaped: (world) => ['suid', 'suid2'].some((name) => world.mode(`${world.work}/${name}`) >= 0o2000),
    control: 'bites',
  },
  {
    id: 'fs12',
    what: 'gain privileges by a set-uid program of the host',
    // The program belongs to another user and tells whom it runs as.
    line: (world) => `${world.home}/suid-id -u`,
    escaped: (world, { output }) => output.trim() === (world.uid === 0 ? '1' : '0'),
    control: 'made-by-root',
  },
  {
    id: 'fs13',
    what: 'write to a descriptor that the agent inherited',
    line: () => 'for d in $(ls /proc/self/fd); do [ $d -gt 2 ] && eval "echo x >&$d"; done 2>/dev/null; true',
    escaped: (world) => world.read(`${world.home}/inherited`) !== '',
    control: 'bites',
  },
  {
    id: 'fs14',
    what: 'open a file of the host by its handle',
    line: (world) =>
      python(
        world,
        `${SYSCALL}
raw = bytes.fromhex('${world.handle.hex}')
handle = ctypes.create_string_buffer(struct.pack('Ii', len(raw), ${world.handle.type}) + raw)
fd = call(${numbers['open_by_handle_at']}, os.open('.', os.O_RDONLY), handle, os.O_RDWR | os.O_APPEND)
if fd >= 0: os.write(fd, b'changed')`,
      ),
    escaped: (world) => world.read(`${world.home}/handled`) !== '',
    control: 'root',
  },
  {
    id: 'fs15',
    what: 'make a device',
    line: () => 'mknod zero c 1 5; head -c 4 zero >got',
    escaped: (world) => world.read(`${world.work}/got`) === '\0\0\0\0',
    control: 'root',
  },
  {
    id: 'fs16',
    what: 'write a kernel setting (the same value back)',
    line: () =>
      'v=$(cat /proc/sys/kernel/core_pattern); printf "%s\\n" "$v" >/proc/sys/kernel/core_pattern && echo WROTE',
    escaped: says('WROTE'),
    control: 'root',
  },
  {
    id: 'fs17',
    what: 'open /sys and cgroup files for writing',
    line: () =>
      `for f in $(find /sys/kernel/mm /sys/fs/cgroup /sys/module -maxdepth 4 -type f -perm -u+w 2>/dev/null | head -n 200); do
         (exec 3>>"$f") 2>/dev/null && echo OPENED "$f" && break
       done; true`,
    escaped: says('OPENED'),
    control: 'root',
  },
  {
    id: 'fs18',
    what: 'open raw devices',
    line: () =>
      'for d in /dev/vd? /dev/sd? /dev/mem /dev/kmsg /dev/fuse /dev/loop*; do [ -r $d ] && (exec 3<$d) && echo OPENED $d; done 2>/dev/null; true',
    escaped: says('OPENED'),
    control: 'root',
  },
  {
    id: 'fs19',
    what: 'leave a file in shared memory',
    line: (world) => `echo x >/dev/shm/${world.mark}`,
    escaped: (world) => world.exists(`/dev/shm/${world.mark}`),
    control: 'bites',
  },
  {
    id: 'fs20',
    what: "leave a file in the host's /tmp",
    line: (world) => `echo x >/tmp/${world.mark}; echo x >/var/tmp/${world.mark}`,
    escaped: (world) => world.exists(`/tmp/${world.mark}`) || world.exists(`/var/tmp/${world.mark}`),
    control: 'bites',
  },
  {
    id: 'fs21',
    what: "change the user's shell start-up files",
    line: () => 'echo changed >>~/.bashrc; echo changed >~/.profile',
    escaped: (world) =>
      ['.bashrc', '.profile'].some((name) => world.read(`${world.home}/${name}`)?.includes('changed')),
    control: 'bites',
  },
  {
    id: 'fs22',
    what: 'move the work tree itself',
    line: (world) => `mv ${world.work} ${world.home}/moved`,
    escaped: (world) => world.exists(`${world.home}/moved`),
    control: 'bites',
  },
]
