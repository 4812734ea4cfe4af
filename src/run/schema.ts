/** `--output-schema`: the last words of a run have to be a JSON value of a given form. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import * as z from 'zod'
import { UsageError } from '../usage-error.ts'

export interface OutputSchema {
  /** Words for the end of the task. */
  readonly ask: string
  /** Looks for a value of the form in a reply. `problem` is told to the model. */
  find(text: string): { readonly value: unknown } | { readonly problem: string }
}

/** Reads a JSON Schema file. Throws UsageError when it cannot be read, is no schema, or uses what we cannot check. */
export function readOutputSchema(file: string): OutputSchema {
  const flag = '--output-schema'
  let schema: unknown
  try {
    schema = JSON.parse(readFileSync(resolve(file), 'utf8'))
  } catch (error) {
    throw new UsageError(`${flag}: ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw new UsageError(`${flag}: ${file} is no JSON Schema: it holds no object`)
  }
  let type: z.ZodType
  try {
    type = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  } catch (error) {
    throw new UsageError(`${flag}: ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
  return {
    ask: `When all is done, end with only a JSON value, nothing before or after it, that this JSON Schema allows:\n${JSON.stringify(schema)}`,
    find(text) {
      let problem = 'there is no JSON value in it'
      for (const candidate of candidates(text)) {
        let value: unknown
        try {
          value = JSON.parse(candidate)
        } catch {
          continue // not JSON: the next piece may be
        }
        const parsed = type.safeParse(value)
        if (parsed.success) return { value }
        problem = parsed.error.issues
          .slice(0, 5)
          .map(({ path, message }) => `${path.length === 0 ? 'the value' : path.join('.')}: ${message}`)
          .join('; ')
      }
      return { problem }
    },
  }
}

/** What may be the value: all of the text, then its fences from the last, then what stands between outermost brackets. */
function* candidates(text: string): Generator<string> {
  yield text.trim()
  for (const fence of [...text.matchAll(/```[\w-]*\n([\s\S]*?)```/g)].reverse()) yield fence[1] ?? ''
  for (const [open, close] of [
    ['{', '}'],
    ['[', ']'],
  ] as const) {
    const from = text.indexOf(open)
    const to = text.lastIndexOf(close)
    if (from !== -1 && to > from) yield text.slice(from, to + 1)
  }
}
