/** The tool `explore`: looks for an answer in a copy of the conversation, of which only the answer comes back. */
import * as z from 'zod'
import { failure, settle } from './result.ts'
import type { Tool } from './types.ts'

const input = z.object({ question: z.string() })

export const exploreTool: Tool<z.infer<typeof input>> = {
  name: 'explore',
  description: 'Have a question about the code answered.',
  input,
  effects: () => [{ kind: 'read', path: '.' }],
  run: ({ question }, context) =>
    settle(context.signal, async () => {
      if (context.explore === undefined)
        return failure('io', 'Exploring is not possible here: read and search yourself.')
      const { ok, text } = await context.explore(question, context.signal)
      if (!ok) return failure('io', `The exploration came to no answer: ${text}`)
      return { ok: true, content: text, details: { kind: 'search', pattern: question, matches: 1 } }
    }),
}
