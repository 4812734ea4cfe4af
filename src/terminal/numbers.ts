/** Numbers as a person reads them. */

/** 1234567 → `1,234,567`. */
export const count = (value: number): string =>
  Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')

/** Seconds → `0.4s`, `12s`, `3m 05s`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)}s`
  if (seconds < 60) return `${Math.round(seconds)}s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, '0')}s`
}

/** Tokens a second; undefined where the time is too short to tell. */
export function rate(tokens: number, seconds: number): string | undefined {
  if (seconds < 0.05 || tokens === 0) return undefined
  const value = tokens / seconds
  return `${value < 10 ? value.toFixed(1) : count(value)}/s`
}

/** `█████░░░░░`, for a fraction of 0..1. */
export function bar(fraction: number, width = 20): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * width)
  return '█'.repeat(filled) + '░'.repeat(width - filled)
}

/** US dollars: `$1.20`, `$0.0034`, `< $0.0001`. */
export function dollars(value: number): string {
  if (value > 0 && value < 0.0001) return '< $0.0001'
  return `$${value.toFixed(value < 0.1 ? 4 : 2)}`
}

/** What a server's cache spared: `$0.0123: hits $0.0003, misses $0.0100, output $0.0020`. */
export const priceText = ({ hits, misses, output }: { hits: number; misses: number; output: number }): string =>
  `${dollars(hits + misses + output)}: hits ${dollars(hits)}, misses ${dollars(misses)}, output ${dollars(output)}`

/** `1 file`, `2 files`. */
export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`

/** What looking around in copies of the conversation took of a run's tokens: `of these exploring: 412 read, 57 written`. */
export const exploredText = (usage: { evaluatedTokens: number; generatedTokens: number }): string =>
  `of these exploring: ${count(usage.evaluatedTokens)} read, ${count(usage.generatedTokens)} written`
