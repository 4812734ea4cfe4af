/** Notices a model that goes in circles. */
import type { ToolCall } from '../../engine/index.ts'

/** The same call by name and arguments, whatever the order of keys. */
function fingerprint({ name, arguments: given }: ToolCall): string {
  return JSON.stringify([name, given], (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}

export interface Repeats {
  /**
   * Notes a call that is about to run. `told`: it goes in a circle for the first time, tell the model instead of
   * running it. `again`: it was told before; the run should end.
   */
  note(call: ToolCall): 'fresh' | 'told' | 'again'
}

/** More calls than these are no circle that a model goes in. */
const longest = 6

/** Three identical calls in a row, or several calls twice in the same order (A B A B), are a circle. */
export function repeats(): Repeats {
  let recent: string[] = []
  let told = false
  return {
    note(call) {
      recent = [fingerprint(call), ...recent].slice(0, 2 * longest)
      const isCircle = Array.from({ length: longest }, (_, i) => i + 1).some((period) => {
        const calls = recent.slice(0, Math.max(3, 2 * period))
        return calls.length >= 3 && calls.length >= 2 * period && calls.every((one, i) => one === calls[i % period])
      })
      if (!isCircle) return 'fresh'
      if (told) return 'again'
      told = true
      return 'told'
    },
  }
}
