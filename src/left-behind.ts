/** Folders that are of use to this process only: they go with it, also where it is ended at once. */
import { spawn } from 'node:child_process'

const folders = new Set<string>()

/** What a command of ours was still writing into is emptied again. */
const script = 'for try in 1 2 3 4 5; do rm -rf -- "$@" && exit; sleep 0.3; done'

function removeLeft(): void {
  if (folders.size === 0) return
  // By a process of its own: whoever pressed Ctrl-C does not wait for ten thousand files.
  spawn('sh', ['-c', script, 'sh', ...folders], { detached: true, stdio: 'ignore', cwd: '/' }).unref()
}

/** From now on these go when the process ends. Gives a function for when they are gone already. Absolute paths. */
export function goesWithUs(...paths: readonly string[]): () => void {
  if (folders.size === 0) {
    process.off('exit', removeLeft)
    process.on('exit', removeLeft)
  }
  for (const path of paths) folders.add(path)
  return () => {
    for (const path of paths) folders.delete(path)
  }
}
