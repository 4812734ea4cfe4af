/** The disk's own speed, without what the system remembers of a file. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Takes a file out of the page cache (GNU dd asks the system to), so that the next read is the disk's. */
export function forget(file: string): void {
  execFileSync('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Seconds of reading a file from the disk, and of nothing else. */
export function rawReadSeconds(file: string): number {
  forget(file)
  const began = performance.now()
  readFileSync(file)
  return (performance.now() - began) / 1000
}
