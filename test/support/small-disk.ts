import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const box = ['--bind', '/', '/', '--dev-bind', '/dev', '/dev', '--proc', '/proc', '--size', '262144', '--tmpfs', '/mnt']

/** Runs a program of a test with a disk of its own, of 256 KiB, at /mnt for this process alone; gives what it prints. */
export async function onSmallDisk(script: string, ...words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('bwrap', [...box, process.execPath, script, ...words])
  return stdout
}
