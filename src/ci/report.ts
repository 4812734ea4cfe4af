/** What the first job found, for the second one and for a page. */
import * as z from 'zod'
import { fenced } from '../run/fence.ts'
import { plainMarkdown } from './untrusted.ts'

const place = z.object({ path: z.string(), line: z.number(), column: z.number().optional(), message: z.string() })

/** The result of `fix` or `run`, as far as it is told on. Read again by the second job, which trusts none of it. */
const resultSchema = z.object({
  exit: z.string().max(40),
  exitCode: z.number().int(),
  check: z.string().max(4000).catch(''),
  text: z.string().catch(''),
  verified: z.array(z.string()).catch([]),
  refused: z.array(z.object({ path: z.string(), what: z.string() })).catch([]),
  places: z.array(place).catch([]),
  patch: z.string().catch(''),
})
export type CiResult = z.infer<typeof resultSchema>

const ran = z.object({
  changes: z.array(z.object({ path: z.string(), diff: z.string().optional() })),
  checks: z.array(z.object({ name: z.string(), passed: z.boolean().nullable(), detail: z.string() })),
})

/** Brings the last event of `fix` or of `run` into one form. Throws for what is neither. */
export function ciResult(event: unknown, check: string): CiResult {
  const result = resultSchema.parse(event)
  const run = ran.safeParse(event)
  if (!run.success) return result
  const mark = (passed: boolean | null): string => (passed === null ? 'not made' : passed ? 'passes' : 'fails')
  const verified = run.data.checks.map(
    ({ name, passed, detail }) => `${name} ${mark(passed)}: ${detail.split('\n')[0]}`,
  )
  return { ...result, check, verified, patch: run.data.changes.map(({ diff }) => diff ?? '').join('') }
}

/** What `result.json` holds, read by the second job. Throws an Error in one line for what is no result. */
export function readResult(text: string): CiResult {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    throw new Error('result.json is not JSON: the first job did not write it')
  }
  const parsed = resultSchema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new Error(`result.json is no result: ${z.prettifyError(parsed.error).replace(/\s+/g, ' ')}`)
}

const longest = 55_000

/** Markdown for a summary, a comment or a pull request. `diff`: as git told it, where that is known better. */
export function summaryOf(result: CiResult, diff: string = result.patch): string {
  const cut = diff.length > longest ? `${diff.slice(0, longest)}\n(cut here)` : diff
  const parts = [
    `## Cachalot: ${plainMarkdown(result.exit)}`,
    ...(result.check === '' ? [] : [`Check: ${plainMarkdown(result.check)}`]),
    ...(result.text === '' ? [] : [`> ${plainMarkdown(result.text.slice(0, 2000)).replace(/\n/g, '\n> ')}`]),
    result.verified
      .slice(0, 50)
      .map((line) => `- ${plainMarkdown(line.slice(0, 500))}`)
      .join('\n'),
    ...(result.refused.length === 0
      ? []
      : [
          `Taken back:\n${result.refused
            .slice(0, 50)
            .map(({ path, what }) => `- ${plainMarkdown(path)}: ${plainMarkdown(what)}`)
            .join('\n')}`,
        ]),
    ...(cut === '' ? [] : [fenced(cut).replace(/^(`+)/, '$1diff')]),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}
