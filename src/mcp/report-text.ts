/** How a task ended, for the agent that gave it. */
import * as z from 'zod'
import type { OwnResult } from './own-process.ts'

/** Much of a large difference says little more; the files are there to be read. */
const longestDiff = 12_000

const result = z.looseObject({
  exit: z.string(),
  text: z.string().default(''),
  changes: z.array(z.looseObject({ path: z.string(), kind: z.string(), diff: z.string().optional() })).default([]),
  checks: z
    .array(z.looseObject({ name: z.string(), passed: z.boolean().nullable(), detail: z.string().default('') }))
    .default([]),
  // What fix has instead.
  verified: z.array(z.string()).default([]),
  refused: z.array(z.looseObject({ path: z.string(), what: z.string() })).default([]),
  patch: z.string().default(''),
})

/** The result line of run or fix, as text; else what the command said. */
export function reportText({ last, text, exitCode }: OwnResult): string {
  const parsed = result.safeParse(last)
  if (!parsed.success) return text || `ended with exit code ${exitCode}`
  const { exit, text: words, changes, checks, verified, refused, patch } = parsed.data
  const made = checks.map(({ name, passed, detail }) =>
    `${passed === null ? 'not checked' : passed ? 'passed' : 'FAILED'}: ${name} ${detail}`.trim(),
  )
  made.push(...verified, ...refused.map(({ path, what }) => `refused: ${path}: ${what}`))
  const diffs = patch || changes.map(({ path, kind, diff }) => diff ?? `${path}: ${kind}`).join('\n')
  const shown =
    diffs.length > longestDiff ? `${diffs.slice(0, longestDiff)}\n[cut: ${diffs.length} characters in all]` : diffs
  return [`${exit} (exit code ${exitCode})`, words, made.join('\n'), shown].filter((part) => part !== '').join('\n\n')
}
