/**
 * Changes that make a check pass without repairing what it checks. Judged by path and by the lines that were added;
 * what is found is refused unless its kind was allowed by name. Where a rule must guess it guesses against the change:
 * a refusal is read by a person, a green check that means nothing is not.
 */
import type { TreeChange } from '../git/shadow.ts'
import {
  alwaysEqual,
  assertions,
  type CheatKind,
  ceilingKey,
  code,
  expectation,
  ignoreFile,
  isTestProgram,
  linterSettings,
  prose,
  protectedFiles,
  runnerSettings,
  scopeKey,
  settingFile,
  silencers,
  standIn,
  testMarks,
  thresholdKey,
  weakRule,
} from './cheat-patterns.ts'

export interface Cheat {
  readonly kind: CheatKind
  readonly path: string
  /** What was done, for a person. */
  readonly what: string
  /** Line of the new file; absent where the whole file is meant. */
  readonly line?: number
}

/** Every cheat among changes. `check`: the command, whose own files and scripts must not be what was changed. */
export function findCheats(changes: readonly TreeChange[], check: string): Cheat[] {
  return changes.flatMap((change) => {
    const whole = byPath(change, check) ?? byAbsence(change, changes)
    return whole === undefined ? [...byLines(change), ...byThresholds(change), ...byTests(change, check)] : [whole]
  })
}

function byPath({ path, before, after }: TreeChange, check: string): Cheat | undefined {
  const found = protectedFiles.find(([, pattern]) => pattern.test(path))
  if (found !== undefined) return { kind: found[0], path, what: found[2] }
  if (ignoreFile.test(path)) return { kind: 'skips', path, what: 'changes what a checker leaves out' }
  if (before === null && standIn.test(path)) return { kind: 'check', path, what: 'stands in for a program that checks' }
  // A script is the check; a source file that a check runs is what it checks.
  const isScript = /(^|\/)[^/.]+$|\.(sh|bash)$/.test(path)
  if (isScript && isNamed(path, check)) {
    return { kind: 'check', path, what: 'changes the file that the check runs' }
  }
  if (/(^|\/)package\.json$/.test(path) && scriptsOf(before) !== scriptsOf(after)) {
    return { kind: 'check', path, what: 'changes the scripts of package.json' }
  }
  if (/(^|\/)(GNUm|m|M)akefile$|(^|\/)justfile$/.test(path) && /\b(make|just)\b/.test(check)) {
    return { kind: 'check', path, what: 'changes the recipe that the check runs' }
  }
  return undefined
}

/** Code that fails nothing because it is not there; a file that has another name now is. */
function byAbsence({ path, before, after }: TreeChange, changes: readonly TreeChange[]): Cheat | undefined {
  if (before === null || after !== null || !code.test(path)) return undefined
  const lines = linesOf(before)
  const moved = changes.some((other) => {
    if (other.path === path || other.after === null) return false
    const there = new Set(linesOf(other.after))
    return lines.filter((line) => there.has(line)).length * 2 >= lines.length
  })
  return moved ? undefined : { kind: 'check', path, what: 'removes what is checked' }
}

/** Whether any change of a file that is there would be a cheat, as far as its path tells. */
export function isOffLimits(path: string, check: string, allowed: ReadonlySet<CheatKind>): boolean {
  const cheat = byPath({ path, kind: 'changed', before: '', after: '' }, check)
  return cheat !== undefined && !allowed.has(cheat.kind)
}

const linesOf = (text: string): string[] => text.split('\n').flatMap((line) => line.trim() || [])

/** Whether a word of the check is this file. */
export const isNamed = (path: string, check: string): boolean =>
  check.split(/[\s;&|'"=]+/).some((word) => word.replace(/^\.\//, '') === path)

/** Undefined where there are none to be read: a broken package.json may be repaired. */
function scriptsOf(text: string | null): string | undefined {
  try {
    const { scripts } = JSON.parse(text ?? '{}') as { scripts?: unknown }
    return scripts === undefined ? undefined : JSON.stringify(scripts)
  } catch {
    // Not JSON: compared by what the text says after "scripts".
    return /"scripts"\s*:\s*(\{[^}]*\})/.exec(text ?? '')?.[1]?.replace(/\s+/g, '')
  }
}

function byLines({ path, before, after }: TreeChange): Cheat[] {
  if (prose.test(path)) return []
  const setting = (settingFile.test(path) && before !== null) || runnerSettings.test(path)
  const rules = [
    ...silencers,
    ...(setting ? [[scopeKey, 'changes what a check looks at'] as const] : []),
    ...(linterSettings.test(path) ? [[weakRule, 'switches a rule off'] as const] : []),
  ]
  const found = addedLines(before, after).flatMap(({ text, line }) => {
    const rule = rules.find(([pattern]) => pattern.test(text))
    return rule === undefined ? [] : [{ kind: 'skips' as const, path, line, what: rule[1] }]
  })
  const isEqual = count(after ?? '', alwaysEqual) > count(before ?? '', alwaysEqual)
  return isEqual ? [...found, { kind: 'skips', path, what: 'is equal to everything' }] : found
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0

function byThresholds({ path, before, after }: TreeChange): Cheat[] {
  if (!settingFile.test(path) || before === null) return []
  const cheats: Cheat[] = []
  for (const [pattern, worse] of [
    [thresholdKey, (was: number, is: number) => is < was],
    [ceilingKey, (was: number, is: number) => is > was],
  ] as const) {
    const was = numbersOf(before, pattern)
    const is = numbersOf(after ?? '', pattern)
    for (const [key, values] of was) {
      const now = is.get(key)
      const lowered =
        now === undefined || now.length < values.length || values.some((value, at) => worse(value, now[at] ?? value))
      if (lowered) cheats.push({ kind: 'thresholds', path, what: `loosens the threshold ${key}` })
    }
  }
  return cheats
}

/**
 * Tests that stand in the code they test (Rust, doctests, small scripts), and those of a file that the check itself runs:
 * none of them may go, nor what they assert.
 */
function byTests({ path, before, after }: TreeChange, check: string): Cheat[] {
  if (before === null || prose.test(path)) return []
  const tests = count(before, testMarks)
  const named = isNamed(path, check) || isTestProgram(before)
  if (tests === 0 && !named) return []
  if (count(after ?? '', testMarks) < tests) return [{ kind: 'tests', path, what: 'removes a test' }]
  if (count(after ?? '', assertions) < count(before, assertions)) {
    return [{ kind: 'tests', path, what: 'removes what a test asserts' }]
  }
  // Where tests stand below the code, the assertions above the first of them are the code's own.
  const first = named ? 0 : before.search(testMarks)
  const left = expectationsOf(after ?? '')
  const gone = expectationsOf(before.slice(first)).some((line) => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  return gone ? [{ kind: 'tests', path, what: 'changes what a test asserts' }] : []
}

const expectationsOf = (text: string): string[] => (text.match(expectation) ?? []).map((line) => line.trim())

function numbersOf(text: string, pattern: RegExp): Map<string, number[]> {
  const found = new Map<string, number[]>()
  for (const [, key = '', value = ''] of text.matchAll(new RegExp(pattern, 'gi'))) {
    found.set(key, [...(found.get(key) ?? []), Number(value)])
  }
  return found
}

/** Lines of the new text that the old one has fewer times: enough to tell what was added, moved lines apart. */
function addedLines(before: string | null, after: string | null): { text: string; line: number }[] {
  const left = new Map<string, number>()
  for (const line of (before ?? '').split('\n')) left.set(line.trim(), (left.get(line.trim()) ?? 0) + 1)
  return (after ?? '').split('\n').flatMap((text, at) => {
    const count = left.get(text.trim()) ?? 0
    left.set(text.trim(), count - 1)
    return count > 0 ? [] : [{ text, line: at + 1 }]
  })
}
