/** Small statistics for benches: medians and a line that shows spread. */
import { median } from '../eval/outcome.ts'

/** `median (min–max)`, in the given unit. */
export function spread(values: readonly number[], unit: string, digits = 1): string {
  const show = (value: number): string => value.toFixed(digits)
  return `${show(median(values))} ${unit} (${show(Math.min(...values))}–${show(Math.max(...values))})`
}

/** Median of the ratios pair by pair: holds when the machine's speed drifts. */
export const pairedRatio = (ours: readonly number[], theirs: readonly number[]): number =>
  median(ours.map((value, index) => value / theirs[index]!))
