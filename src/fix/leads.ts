/** What the log of a failing check leads to: files, tests, and what can be told of them at once. */
import { brokenData } from './broken-data.ts'
import type { CheatKind } from './cheat-patterns.ts'
import { isNamed, isOffLimits } from './cheats.ts'
import { missingHints } from './missing.ts'
import { placesIn } from './places.ts'
import type { CheckOptions, CheckRun } from './reproduce.ts'
import { type Suspect, suspectsOf } from './suspects.ts'
import { failingTests } from './test-blocks.ts'

export interface Leads {
  /** Files that may be changed, the likeliest first. */
  readonly suspects: readonly Suspect[]
  readonly tests: ReturnType<typeof failingTests>
  /** Sentences. */
  readonly hints: readonly string[]
}

export function leadsOf(
  { output: log }: Pick<CheckRun, 'output'>,
  { command, cwd: root }: Pick<CheckOptions, 'command' | 'cwd'>,
  allowed: ReadonlySet<CheatKind>,
): Leads {
  const places = placesIn(log, root)
  const guarded = (path: string): boolean => isOffLimits(path, command, allowed)
  const scene = { places, root, log, isOffLimits: guarded, isNamed: (path: string) => isNamed(path, command) }
  const likely = suspectsOf(scene)
  const broken = brokenData(
    log,
    root,
    likely.map(({ path }) => path),
  ).filter(({ path }) => !guarded(path))
  const others = likely.filter(({ path }) => !broken.some((one) => one.path === path))
  return {
    // What could not be read is the cause, whoever read it; one of those is enough.
    suspects: [
      ...broken.map(({ path, line }) => ({ path, ...(line !== undefined && { line }) })),
      ...others.slice(0, broken.length > 0 ? 1 : undefined),
    ],
    tests: failingTests(places, root),
    hints: [
      ...missingHints(log, root),
      ...broken.map(
        ({ path, problem }) => `${path} cannot be read as JSON: ${problem.replace(/\s+/g, ' ').replace(/\.?$/, '.')}`,
      ),
    ],
  }
}
