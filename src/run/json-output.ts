import { safeJson } from '../terminal/sanitize.ts'
import type { Output } from './output.ts'

/** One JSON event a line on stdout and nothing else. */
export function jsonOutput(write: (text: string) => void): Output {
  return {
    event: (event) => write(`${safeJson(event)}\n`),
    status: () => undefined,
  }
}

/** Only the result, as one JSON object. */
export function jsonResultOutput(write: (text: string) => void): Output {
  return {
    event: (event) => {
      if (event.type === 'result') write(`${safeJson(event)}\n`)
    },
    status: () => undefined,
  }
}
