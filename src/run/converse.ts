/** One task sent to a session, and asked again while its last words are not of the form that was asked for. */
import { type AgentEvent, exitCode, type Session } from '../../agent/index.ts'
import { addUsage, noUsage } from '../../engine/index.ts'
import type { ResultEvent, RunResult } from './output.ts'
import type { OutputSchema } from './schema.ts'

/** How often the model is asked for a value of the schema in all. */
const schemaTries = 3

export interface ConverseRequest {
  readonly session: Session
  readonly task: string
  readonly signal: AbortSignal
  /** Absolute paths of pictures that go with the task. */
  readonly pictures?: readonly string[]
  readonly schema?: OutputSchema
  /** Every event but the result. */
  readonly onEvent: (event: AgentEvent) => void
}

/** Undefined when the session gave no result, which would be a fault of ours. */
export async function converse(request: ConverseRequest): Promise<RunResult | undefined> {
  const { session, task, signal, schema, pictures, onEvent } = request
  /** A model that writes code in fences is asked whose file its JSON is: heard here, and ended, before it answers that. */
  let fenced: { readonly value: unknown } | undefined
  const send = async (text: string, shown?: readonly string[]): Promise<ResultEvent | undefined> => {
    let result: ResultEvent | undefined
    const heard = new AbortController()
    for await (const event of session.send(text, {
      signal: AbortSignal.any([signal, heard.signal]),
      ...(shown && { pictures: shown }),
    })) {
      if (event.type === 'result') result = event
      else if (result === undefined) onEvent(event)
      if (event.type !== 'malformed' || schema === undefined) continue
      const found = schema.find(event.text)
      if (!('value' in found)) continue
      fenced = found
      heard.abort()
    }
    return result
  }
  let result = await send(schema === undefined ? task : `${task}\n\n${schema.ask}`, pictures)
  if (schema === undefined || result === undefined) return result
  for (let tries = 1; ; tries++) {
    if (signal.aborted || (result.exit !== 'done' && fenced === undefined)) return result
    const found = fenced ?? schema.find(result.text)
    if ('value' in found) {
      const { value } = found
      return { ...result, exit: 'done', exitCode: exitCode.done, text: JSON.stringify(value), output: value }
    }
    const why = `The result is not of the form that --output-schema asks for: ${found.problem}`
    if (tries >= schemaTries) return { ...result, exit: 'not-done', exitCode: exitCode['not-done'], text: why }
    onEvent({ type: 'notice', level: 'warning', text: `${why}. Asking again.` })
    const next = await send(`Your last reply is not what was asked for: ${found.problem}. ${schema.ask}`)
    if (next === undefined) return next
    result = added(result, next)
  }
}

/** Two runs told as one: what both changed and cost, and how the second ended. */
function added(one: ResultEvent, other: ResultEvent): ResultEvent {
  return {
    ...other,
    changes: [...one.changes, ...other.changes],
    checks: other.checks.length > 0 ? other.checks : one.checks,
    steps: one.steps + other.steps,
    seconds: one.seconds + other.seconds,
    usage: addUsage(one.usage, other.usage),
    ...((one.explored ?? other.explored) && {
      explored: addUsage(one.explored ?? noUsage, other.explored ?? noUsage),
    }),
  }
}
