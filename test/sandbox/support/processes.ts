/** Looks for processes from the host's side. */
import { readdirSync, readFileSync } from 'node:fs'

/** Command lines of all running processes that hold a text. */
export function processesWith(text: string): string[] {
  const found: string[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      if (line.includes(text) && Number(name) !== process.pid) found.push(`${name} ${line}`)
    } catch {
      // Ended while we looked.
    }
  }
  return found
}
