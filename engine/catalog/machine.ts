/** How much memory this machine has for us: the kernel's count, and what a container's limits leave of it. */
import { readFile } from 'node:fs/promises'
import { freemem, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

export interface Machine {
  /** All memory that processes here may ever use, in bytes. */
  readonly totalBytes: number
  /** What could be used now without pushing anything else out. */
  readonly availableBytes: number
}

/**
 * Reads /proc/meminfo and the limits of the control groups that this process is in (version 2 and 1, with all their
 * parents). Elsewhere than on Linux the operating system's own totals count. `root` is for tests.
 */
export async function readMachine(root = '/'): Promise<Machine> {
  const meminfo = await read(join(root, 'proc/meminfo'))
  if (meminfo === undefined) return { totalBytes: totalmem(), availableBytes: freemem() }
  const field = (name: string): number | undefined => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  }
  let totalBytes = field('MemTotal') ?? totalmem()
  let availableBytes = field('MemAvailable') ?? freemem()
  for (const limit of await groupLimits(root)) {
    totalBytes = Math.min(totalBytes, limit.bytes)
    availableBytes = Math.min(availableBytes, Math.max(0, limit.bytes - limit.used))
  }
  return { totalBytes, availableBytes }
}

interface GroupLimit {
  readonly bytes: number
  /** Used by the group, without page cache that the kernel gives up for the asking. */
  readonly used: number
}

async function groupLimits(root: string): Promise<GroupLimit[]> {
  const limits: GroupLimit[] = []
  // No such file: a kernel without control groups.
  for (const line of ((await read(join(root, 'proc/self/cgroup'))) ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) continue
    const version2 = controllers === ''
    if (!version2 && !controllers.split(',').includes('memory')) continue
    const mount = join(root, 'sys/fs/cgroup', version2 ? '' : 'memory')
    const names = version2
      ? { limit: 'memory.max', used: 'memory.current', cache: 'inactive_file' }
      : { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', cache: 'total_inactive_file' }
    for (let group = path; ; group = dirname(group)) {
      const limit = await groupLimit(join(mount, group), names)
      if (limit !== undefined) limits.push(limit)
      if (group === '/') break
    }
  }
  return limits
}

async function groupLimit(
  folder: string,
  names: { limit: string; used: string; cache: string },
): Promise<GroupLimit | undefined> {
  // "max", and a file that is not there (the root group): no limit.
  const bytes = Number.parseInt((await read(join(folder, names.limit))) ?? '', 10)
  if (Number.isNaN(bytes)) return undefined
  const used = Number.parseInt((await read(join(folder, names.used))) ?? '0', 10)
  const stat = (await read(join(folder, 'memory.stat'))) ?? ''
  const cache = Number(new RegExp(`^${names.cache} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0)
  return { bytes, used: Math.max(0, used - cache) }
}

/** Undefined for what is not there or may not be read. */
async function read(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined)
}
