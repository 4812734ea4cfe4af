import type { Fit } from '../../engine/index.ts'
import { bytesText } from './bytes.ts'

/** How a model fits this machine, in a few words: `yes, needs 1.9 GB of 23 GB free`. */
export function fitText(fit: Fit): string {
  const needs = `needs ${bytesText(fit.neededBytes)} of memory`
  switch (fit.verdict) {
    case 'yes':
      return `yes, ${needs}`
    case 'tight':
      return `tight, ${needs}; ${bytesText(fit.availableBytes)} free of ${bytesText(fit.totalBytes)}`
    case 'no':
      return `no, ${needs}; there are ${bytesText(fit.totalBytes)}`
    default:
      return fit.verdict satisfies never
  }
}

/** The same for a column of a table: `yes, needs 1.9 GB`. */
export const fitCell = (fit: Fit): string => `${fit.verdict}, needs ${bytesText(fit.neededBytes)}`
