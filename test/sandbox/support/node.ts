import { chmodSync, copyFileSync, existsSync, linkSync, statSync } from 'node:fs'
import path from 'node:path'

/**
 * This Node, where every user can start it: the checkout of a test may lie in a folder that only root can enter (`mktemp -d` makes
 * such ones), and what is tested starts Node as another user. A copy lies in `folder` then.
 */
export function nodeForEverybody(folder: string): string {
  if (canBeStarted(process.execPath)) return process.execPath
  const file = path.join(folder, 'node')
  if (existsSync(file)) return file
  try {
    linkSync(process.execPath, file)
  } catch {
    // On another file system.
    copyFileSync(process.execPath, file)
    chmodSync(file, 0o755)
  }
  return file
}

/** Whether others may enter every folder on the way. */
function canBeStarted(file: string): boolean {
  const above = path.dirname(file)
  return (statSync(file).mode & 0o001) !== 0 && (above === file || canBeStarted(above))
}
