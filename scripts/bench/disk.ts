/** The disk's own speed, without what the system remembers of a file. */
import { execFileSync } from 'node:child_process'
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'

/** Takes a file out of the page cache (GNU dd asks the system to), so that the next read is the disk's. */
export function forget(file: string): void {
  execFileSync('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Reused, as `dd` does: memory that is new to a process costs more than the disk. */
const buffer = Buffer.alloc(16 * 1024 * 1024, 7)

/** Seconds of reading a file from the disk, and of nothing else. */
export function rawReadSeconds(file: string): number {
  forget(file)
  const began = performance.now()
  const fd = openSync(file, 'r')
  while (readSync(fd, buffer) > 0);
  closeSync(fd)
  return (performance.now() - began) / 1000
}

/** Seconds of writing and syncing so many bytes. */
export function rawWriteSeconds(file: string, bytes: number): number {
  const began = performance.now()
  const fd = openSync(file, 'w')
  for (let done = 0; done < bytes; ) done += writeSync(fd, buffer, 0, Math.min(buffer.length, bytes - done))
  fsyncSync(fd)
  closeSync(fd)
  return (performance.now() - began) / 1000
}
