/**
 * Looks at the finished box before the command begins: every mount must be one that was asked for, showing what it has the
 * name of. bwrap follows links when it mounts, and between our look at the work tree and its mounts another command
 * (one in the background, a second session) can put a link in the place of a folder: what lies behind it, outside of
 * the work tree, would be mounted writable.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { isInside, realPath } from '../policy.ts'

/** One line of /proc/PID/mountinfo, see proc_pid_mountinfo(5). */
export interface Mount {
  readonly mountPoint: string
  /** major:minor of the file system. */
  readonly device: string
  /** The folder of the file system that is mounted. */
  readonly root: string
  readonly readOnly: boolean
  readonly type: string
}

/** What may be mounted at a place, once. */
interface Wanted {
  readonly mountPoint: string
  readonly type?: string
  readonly device?: string
  readonly root?: string
  readonly readOnly?: boolean
}

/** What bwrap makes of `--dev` and `--proc` besides the folder itself: bubblewrap.c, SETUP_MOUNT_DEV and SETUP_MOUNT_PROC. */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty']
const COVERED = ['sys', 'sysrq-trigger', 'irq', 'bus']

/** What is wrong with the mounts of a process that bwrap started with these arguments; undefined: nothing. */
export function misplacedMount(args: readonly string[], pid: number | undefined): string | undefined {
  if (pid === undefined) return 'bwrap did not tell its process'
  return compareMounts(args, mountsOf('self'), mountsOf(String(pid)))
}

const mountsOf = (pid: string): Mount[] => parseMounts(readFileSync(`/proc/${pid}/mountinfo`, 'latin1'))

/** @param text as latin1: names are bytes, and some of them are written as three octal digits. */
export function parseMounts(text: string): Mount[] {
  const plain = (name = ''): string =>
    Buffer.from(
      name.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
      'latin1',
    ).toString('utf8')
  return text.split('\n').flatMap((line) => {
    const [, , device, root, mountPoint, options, ...rest] = line.split(' ')
    if (device === undefined || options === undefined) return []
    const type = rest[rest.indexOf('-') + 1] ?? ''
    return {
      mountPoint: plain(mountPoint),
      device,
      root: plain(root),
      readOnly: options.split(',').includes('ro'),
      type,
    }
  })
}

/** The first mount of the box that neither its arguments nor the mounts of the host explain. */
export function compareMounts(
  args: readonly string[],
  host: readonly Mount[],
  box: readonly Mount[],
): string | undefined {
  const wanted = wantedMounts(args, host)
  const open = [...wanted]
  const left: Mount[] = []
  const onHost = (mount: Mount): boolean => host.some((each) => isSame(each, mount))
  // What only the box has comes first: the host's own /dev/pts must not pass for the one that was asked for.
  for (const mount of [...box.filter((each) => !onHost(each)), ...box.filter(onHost)]) {
    const at = open.findIndex((each) => fits(each, mount))
    if (at < 0) left.push(mount)
    else open.splice(at, 1)
  }
  // `--ro-bind / /` takes all mounts of the host with it, and each folder that is bound once more those below it.
  const carried = new Map<string, number>()
  for (const mount of left) {
    const { mountPoint } = mount
    const same = host.filter((each) => isSame(each, mount)).length
    const around = wanted.filter((each) => each.root !== undefined && isBelow(mountPoint, each.mountPoint)).length
    const key = `${mount.device} ${mountPoint}`
    const seen = (carried.get(key) ?? 0) + 1
    carried.set(key, seen)
    if (seen > same * Math.max(around, 1)) return `${mount.root} of ${mount.device} at ${mountPoint}`
  }
  return undefined
}

function wantedMounts(args: readonly string[], host: readonly Mount[]): Wanted[] {
  const wanted: Wanted[] = []
  const opened: string[] = []
  for (const [at, word] of args.entries()) {
    const [first = '', second = ''] = args.slice(at + 1, at + 3)
    if (word === '--') break
    if (word === '--bind' || word === '--ro-bind') {
      const source = sourceOf(first, host)
      wanted.push({ mountPoint: placeOf(second, opened), ...source, ...(word === '--ro-bind' && { readOnly: true }) })
      if (first === second && first !== '/') opened.push(first)
    } else if (word === '--tmpfs') wanted.push({ mountPoint: placeOf(first, opened), type: 'tmpfs' })
    else if (word === '--ro-bind-data') wanted.push({ mountPoint: second, type: 'tmpfs', readOnly: true })
    else if (word === '--dev') {
      wanted.push({ mountPoint: first, type: 'tmpfs' }, { mountPoint: `${first}/pts`, type: 'devpts' })
      wanted.push({ mountPoint: `${first}/console`, type: 'devpts' })
      for (const name of DEVICES) wanted.push({ mountPoint: `${first}/${name}`, ...sourceOf(`/dev/${name}`, host) })
    } else if (word === '--proc') {
      wanted.push({ mountPoint: first, type: 'proc', root: '/' })
      for (const name of COVERED)
        wanted.push({ mountPoint: `${first}/${name}`, type: 'proc', root: `/${name}`, readOnly: true })
    }
  }
  return wanted
}

/** Where a mount must stand: by its real name, but in what commands can write only by the one it was given. */
const placeOf = (place: string, opened: readonly string[]): string =>
  opened.some((folder) => isInside(place, folder)) ? place : (realPath(place) ?? place)

/** The file system and folder that a path of the host is, by its name alone: what is a link there has another name. */
function sourceOf(file: string, host: readonly Mount[]): Pick<Wanted, 'device' | 'root'> {
  let mount: Mount | undefined
  for (const each of host) {
    if (isInside(file, each.mountPoint) && each.mountPoint.length >= (mount?.mountPoint.length ?? 0)) mount = each
  }
  if (mount === undefined) return { device: 'none', root: file }
  return { device: mount.device, root: path.join(mount.root, path.relative(mount.mountPoint, file)) }
}

function fits(wanted: Wanted, mount: Mount): boolean {
  if (wanted.mountPoint !== mount.mountPoint) return false
  if (wanted.readOnly === true && !mount.readOnly) return false
  const { type, device, root } = { ...mount, ...wanted }
  return type === mount.type && device === mount.device && root === mount.root
}

/** The root of a control group is told as the reader's own namespace sees it. */
const isSame = (host: Mount, box: Mount): boolean =>
  host.mountPoint === box.mountPoint &&
  host.device === box.device &&
  (host.root === box.root || box.type.startsWith('cgroup'))

const isBelow = (inner: string, outer: string): boolean => inner !== outer && isInside(inner, outer)
