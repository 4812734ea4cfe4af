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

/** Three identical calls in a row, or two calls taking turns twice (A B A B), are a circle. */
export function repeats(): Repeats {
  const recent: string[] = []
  let told = false
  return {
    note(call) {
      recent.push(fingerprint(call))
      const [a, b, c, d] = recent.slice(-4).reverse()
      const identical = a === b && b === c
      const alternating = a !== b && a === c && b === d && d !== undefined
      if (!identical && !alternating) return 'fresh'
      if (told) return 'again'
      told = true
      return 'told'
    },
  }
}
