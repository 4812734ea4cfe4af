/** Whether a command of a shell line is one that a rule names. */
import type { ShellCommand } from './command.ts'
import { startsOthers } from './scripts.ts'

export type Match = 'yes' | 'no' | 'maybe'

/** Words of the prefix in a rule: `git push` → git, push. */
export const prefixWords = (prefix: string): string[] => prefix.trim().split(/\s+/)

/**
 * For rules that forbid: generous. Options may stand between the words (`git -C x push`), the program may be named by its
 * path, and started by another (`env`, `xargs`, `find -exec` …). `maybe`: a word that decides is not known yet.
 */
export function mayBe(command: ShellCommand, prefix: readonly string[]): Match {
  const { words } = command
  const starts = startsOthers(words[0] ?? null) ? words.flatMap((_, at) => (mayStart(words, at) ? [at] : [])) : [0]
  let match: Match = 'no'
  for (const at of starts) {
    const one = matchFrom(words.slice(at), prefix)
    if (one === 'yes') return 'yes'
    if (one === 'maybe') match = 'maybe'
  }
  return match
}

/**
 * Whether a program may be named at this place of a command that starts others. A known word is tried everywhere; one that
 * is not known yet only where a program would stand, or every argument from a variable would be in doubt.
 */
function mayStart(words: ShellCommand['words'], at: number): boolean {
  if (at === 0 || words[at] !== null) return true
  const before = words[at - 1] ?? ''
  if (/^(?:.*\/)?(?:find|fd)$/.test(words[0] ?? '')) return /^-(?:exec|execdir|ok|okdir|x|X)$/.test(before)
  return words.slice(1, at).every((word, index) => {
    const afterOption = words[index]?.startsWith('-') === true
    return afterOption || (word !== null && /^-|=|^[\d.]+[smhd]?$/.test(word))
  })
}

/** Options of a rule (`rm -rf`, `git push --force`) may stand anywhere behind the program, and short ones apart. */
function matchFrom(words: readonly (string | null)[], prefix: readonly string[]): Match {
  const program = matchWords(
    words,
    prefix.filter((word) => !isOption(word)),
  )
  if (program !== 'yes') return program
  if (prefix.every((option) => !isOption(option) || hasOption(words, option))) return 'yes'
  return words.includes(null) ? 'maybe' : 'no'
}

const isOption = (word: string): boolean => word.startsWith('-')

function hasOption(words: readonly (string | null)[], option: string): boolean {
  if (words.some((word) => word === option || word?.startsWith(`${option}=`) === true)) return true
  const letters = /^-([a-z]+)$/i.exec(option)?.[1]
  const given = words.flatMap((word) => /^-([a-z]+)$/i.exec(word ?? '')?.[1] ?? []).join('')
  return letters !== undefined && [...letters].every((letter) => given.includes(letter))
}

function matchWords(words: readonly (string | null)[], prefix: readonly string[]): Match {
  let wanted = 0
  let afterOption = false
  for (const word of words) {
    if (wanted === prefix.length) break
    // What it becomes may be the word, or several, or none.
    if (word === null) return 'maybe'
    const name = wanted === 0 ? word.slice(word.lastIndexOf('/') + 1) : word
    if (name === prefix[wanted] || word === prefix[wanted]) {
      wanted += 1
      afterOption = false
    } else if (wanted > 0 && word.startsWith('-')) afterOption = true
    else if (afterOption) afterOption = false
    else return 'no'
  }
  return wanted === prefix.length ? 'yes' : 'no'
}

/** For rules that allow: exact. The words stand first, as they are, and are all known. */
export const isExactly = ({ words }: ShellCommand, prefix: readonly string[]): boolean =>
  prefix.every((word, at) => words[at] === word)
