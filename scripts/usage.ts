/** What a script says of itself: its first comment, which is its manual. */
import { readFileSync } from 'node:fs'

export function usageOf(file: string): string {
  const [said = ''] = /(?<=^\/\*\*\n)[\s\S]*?(?=\n \*\/)/m.exec(readFileSync(file, 'utf8')) ?? []
  return `${said.replace(/^ \* ?/gm, '')}\n`
}
