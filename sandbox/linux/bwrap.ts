/** The bubblewrap profile: argv for one command. Order matters, later mounts cover earlier ones. */
import { existsSync, lstatSync } from 'node:fs'
import path from 'node:path'
import { isInside, realPath } from '../policy.ts'
import { gitToolPaths, protectedPaths } from '../protect.ts'
import type { Policy } from '../types.ts'
import { listeningSockets, type Mask, secretMasks } from './masks.ts'

/** What the profile needs to know of this machine; separate from the policy so that a test can give its own. */
export interface Machine {
  readonly home: string
  /** Folders that commands see empty, see `hiddenFolders`. */
  readonly hidden: readonly string[]
  /** Effective user id 0: bwrap then keeps what a user never had, and two mounts take it back. */
  readonly root: boolean
  /** `bwrap --help` lists --disable-userns (0.8 and later). */
  readonly disableUserns: boolean
  /** Private folder of this session on the host: holds `tmp` and an `empty` file. */
  readonly session: string
}

export interface Profile {
  /** Arguments of bwrap up to and without `--` and the command. */
  readonly args: readonly string[]
  /** What the system call filter does with unix sockets. */
  readonly unix: 'isolated' | 'deny'
}

/** Descriptors that the profile names; the runner fills them. */
export const SECCOMP_FD = 3
export const STATUS_FD = 4
/** Where the command waits for our word before it begins. */
export const GATE_FD = 5
/** The first of those that hold the content of a file. */
export const SCRIPT_FD = 6

/** Size of each in-memory folder, bytes. */
const TMPFS_BYTES = 1 << 30

export interface ProfileOptions {
  /** bwrap is started in a network without a way out already, and stays in it. */
  readonly joinsNetwork?: boolean
  /** Listening unix sockets to hide; undefined when they are too many, and the filter must refuse them all. */
  readonly sockets?: readonly string[] | undefined
  /** Every `.git` below a writable folder, when somebody has looked already. */
  readonly gitEntries?: (root: string) => readonly string[] | undefined
}

/** The arguments that hold a command to the policy. Reads the disk: what exists now is what can be hidden or held. */
export function bwrapProfile(
  policy: Policy,
  cwd: string,
  machine: Machine,
  options: ProfileOptions = { sockets: listeningSockets() },
): Profile {
  const { sockets, joinsNetwork = false } = options
  const args = [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(policy.network === 'off' && !joinsNetwork ? ['--unshare-net'] : []),
    ...['--die-with-parent', '--new-session', '--hostname', 'sandbox', '--cap-drop', 'ALL'],
    ...(machine.disableUserns ? ['--disable-userns'] : []),
    ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
    // bwrap's own /dev takes half of the memory when it is filled.
    ...['--size', String(TMPFS_BYTES), '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    // bwrap covers /proc/sys only for those who could not write it anyway; as root core_pattern would be open.
    ...(machine.root ? ['--ro-bind', '/proc/sys', '/proc/sys'] : []),
  ]
  const { hidden } = machine
  for (const folder of hidden) {
    if (folder !== '/tmp') args.push('--size', String(TMPFS_BYTES), '--tmpfs', folder)
  }
  args.push('--bind', path.join(machine.session, 'tmp'), '/tmp')
  if (policy.network === 'full') args.push(...resolverArgs(hidden))

  const readOnly = policy.mode === 'read-only'
  const writable = withoutNested(readOnly ? [] : [...policy.roots, ...policy.extraWrite])
  const opened = readOnly ? withoutNested(policy.roots) : writable
  const masks = secretMasks(machine.home, policy.denyRead).filter((mask) => isSeen(mask.path, hidden, opened))
  const [around, below] = split(masks, (mask) => opened.some((folder) => isInside(folder, mask.path)))

  // A secret folder that holds a root is emptied first, and the root is put back into it.
  for (const mask of around) args.push('--tmpfs', mask.path)
  for (const folder of opened) args.push(readOnly ? '--ro-bind' : '--bind', folder, folder)
  for (const folder of writable) {
    // Only the work tree's own repository: another root's is not what the tool was called for.
    const [first = ''] = policy.roots
    const held = policy.git === 'writable' && isInside(first, folder) ? gitToolPaths : protectedInBox
    // What the user forbids is not forbidden to the git tool: a switch that cannot write it would stop half-way.
    const forbidden = policy.git === 'writable' ? [] : (policy.readOnly ?? []).flatMap((file) => realPath(file) ?? [])
    const hiding = below.map((mask) => mask.path)
    args.push(...protectionArgs(folder, [...held(folder, options.gitEntries?.(folder)), ...forbidden], hiding))
  }
  // After what is held: a mount of a whole folder would uncover what is hidden in it.
  for (const mask of below) args.push(...maskArgs(mask, machine))
  for (const socket of sockets ?? []) {
    const masked = masks.some((mask) => isInside(socket, mask.path) && !opened.some((open) => isInside(socket, open)))
    if (!masked && isSeen(socket, hidden, opened)) args.push(...maskArgs({ path: socket, kind: 'file' }, machine))
  }

  for (const mask of around) args.push('--remount-ro', mask.path)
  for (const folder of hidden) if (folder !== '/tmp' && folder !== '/var/tmp') args.push('--remount-ro', folder)
  args.push('--chdir', cwd, '--seccomp', String(SECCOMP_FD), '--json-status-fd', String(STATUS_FD))
  return { args, unix: sockets === undefined ? 'deny' : 'isolated' }
}

/** Folders that commands see empty: other programs' files and sockets, kernels, and root's home when it is not ours. */
export function hiddenFolders(home: string): string[] {
  const real = realPath(home) ?? home
  const wanted = ['/tmp', '/var/tmp', '/run', '/boot', ...(isInside(real, '/root') ? [] : ['/root'])]
  return wanted.filter(isRealFolder)
}

function isRealFolder(folder: string): boolean {
  try {
    return lstatSync(folder).isDirectory()
  } catch {
    return false
  }
}

/** With the host's network, /etc/resolv.conf must lead somewhere although /run is hidden. */
function resolverArgs(hidden: readonly string[]): string[] {
  const real = realPath('/etc/resolv.conf')
  if (real === undefined || !hidden.some((folder) => isInside(real, folder))) return []
  return ['--ro-bind', real, real]
}

/** Whether a path of the host is to be seen at all: not in a hidden folder, unless in one that was opened there. */
function isSeen(file: string, hidden: readonly string[], opened: readonly string[]): boolean {
  if (isInside(file, '/dev') || isInside(file, '/proc')) return false
  return !hidden.some((folder) => isInside(file, folder)) || opened.some((folder) => isInside(file, folder))
}

/** A folder becomes an empty read-only one, a file an empty one. */
function maskArgs(mask: Mask, machine: Machine): string[] {
  if (mask.kind === 'folder') return ['--tmpfs', mask.path, '--remount-ro', mask.path]
  return ['--ro-bind', path.join(machine.session, 'empty'), mask.path]
}

/**
 * Protected paths read-only, and every folder between them and the root pinned by a mount on itself: what is a mount
 * point cannot be renamed away (EBUSY). So are the folders of what is hidden: moved, the next command would find it elsewhere.
 */
function protectionArgs(root: string, paths: readonly string[], hidden: readonly string[]): string[] {
  const held = paths.filter((file) => file !== root && isInside(file, root))
  const pins = new Set<string>()
  for (const file of [...held, ...hidden]) {
    for (let up = path.dirname(file); up !== root && isInside(up, root); up = path.dirname(up)) pins.add(up)
  }
  const args: string[] = []
  for (const pin of [...pins].sort(byDepth)) args.push('--bind', pin, pin)
  for (const file of withoutNested(held)) args.push('--ro-bind', file, file)
  return args
}

const protectedInBox = (root: string, entries?: readonly string[]): string[] => protectedPaths(root, undefined, entries)

/** Without those that lie in another one, outermost first. */
function withoutNested(folders: readonly string[]): string[] {
  const real = [...new Set(folders.map((folder) => realPath(folder) ?? folder))].filter((folder) => existsSync(folder))
  return real.filter((inner) => !real.some((outer) => outer !== inner && isInside(inner, outer))).sort(byDepth)
}

const byDepth = (a: string, b: string): number => a.split('/').length - b.split('/').length || (a < b ? -1 : 1)

function split<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))]
}
