/** The table: one row a set and mode, with Wilson intervals, failure classes and flips against an earlier run. */
import { median, type Outcome, wilson } from './outcome.ts'

const percent = (fraction: number): string => `${Math.round(fraction * 100)}`

/** Counts of each failure class, most frequent first: `3 wrong, 1 form`. */
function misses(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>()
  for (const { failure } of outcomes) if (failure !== undefined) counts.set(failure, (counts.get(failure) ?? 0) + 1)
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}

/** Tasks solved now and not before, and the other way round: `+2 −1`; empty without an earlier run. */
function flips(now: readonly Outcome[], before: readonly Outcome[]): string {
  const earlier = new Map(before.map((outcome) => [outcome.task, outcome.solved]))
  const both = now.filter((outcome) => earlier.has(outcome.task))
  if (both.length === 0) return ''
  const won = both.filter((outcome) => outcome.solved && !earlier.get(outcome.task)).length
  const lost = both.filter((outcome) => !outcome.solved && earlier.get(outcome.task)).length
  return `+${won} −${lost}`
}

/** A markdown table of all outcomes; `before` are the outcomes of the last saved run, for paired flips. */
export function report(outcomes: readonly Outcome[], before: readonly Outcome[]): string {
  const rows = [
    '| set | mode | solved | 95 % | flips | median s | tokens in / out | requests | misses |',
    '|---|---|---|---|---|---|---|---|---|',
  ]
  const sets = [...new Set(outcomes.map((outcome) => outcome.set))]
  const modes = [...new Set(outcomes.map((outcome) => outcome.mode))]
  for (const set of sets) {
    for (const mode of modes) {
      const own = outcomes.filter((outcome) => outcome.set === set && outcome.mode === mode)
      if (own.length === 0) continue
      const solved = own.filter((outcome) => outcome.solved).length
      const [low, high] = wilson(solved, own.length)
      const mid = (pick: (outcome: Outcome) => number, digits = 0): string => median(own.map(pick)).toFixed(digits)
      const earlier = before.filter((outcome) => outcome.mode === mode)
      rows.push(
        `| ${set} | ${mode} | ${solved}/${own.length} | ${percent(low)}–${percent(high)} | ${flips(own, earlier)} | ${mid((o) => o.seconds, 1)} | ${mid((o) => o.promptTokens)} / ${mid((o) => o.generatedTokens)} | ${mid((o) => o.requests)} | ${misses(own)} |`,
      )
    }
  }
  return rows.join('\n')
}
