/** The tool `recall`: a text that was paged out of the context, once more. */
import * as z from 'zod'
import { charLimit, failure } from './result.ts'
import type { Tool } from './types.ts'

const usualChars = 16_000

const input = z.object({ id: z.string(), from: z.int().optional().describe('first line') })

export const recallTool: Tool<z.infer<typeof input>> = {
  name: 'recall',
  description: 'Bring back a text that was paged out.',
  input,
  effects: () => [],
  async run({ id, from = 1 }, context) {
    const text = context.pages?.get(id.trim())
    if (text === undefined) {
      const known = [...(context.pages?.keys() ?? [])].slice(-10).join(', ')
      return failure('not-found', `Nothing is paged out as ${id}.${known === '' ? '' : ` Known: ${known}.`}`)
    }
    const lines = text.split('\n')
    const chars = charLimit(context, usualChars)
    const shown: string[] = []
    let used = 0
    for (const line of lines.slice(Math.max(0, from - 1))) {
      if (used > chars) break
      shown.push(line)
      used += line.length + 1
    }
    const next = Math.max(1, from) + shown.length
    const rest = next <= lines.length ? [`(cut here: recall it with from: ${next})`] : []
    const details = { kind: 'list', path: id, entries: shown.length } as const
    return { ok: true, content: [...shown, ...rest].join('\n'), details }
  },
}
