/** What an MCP server gives back, as text. */
import * as z from 'zod'

const content = z.union([
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({
    type: z.literal('resource'),
    resource: z.looseObject({ uri: z.string(), text: z.string().optional() }),
  }),
  z.looseObject({ type: z.literal('resource_link'), uri: z.string() }),
  z.looseObject({ type: z.string() }),
])

const result = z.looseObject({
  content: z.array(content).default([]),
  isError: z.boolean().optional(),
  structuredContent: z.unknown().optional(),
})

/** Throws ZodError for what is no result. What is no text is only named. */
export function resultText(given: unknown): { ok: boolean; text: string } {
  const { content: parts, isError, structuredContent } = result.parse(given)
  const texts = parts.map((part) => {
    if ('text' in part && typeof part.text === 'string') return part.text
    if ('resource' in part) {
      const { uri, text } = part.resource as { uri: string; text?: string }
      return text === undefined ? `[${uri}: not text]` : `${uri}:\n${text}`
    }
    return 'uri' in part ? String(part.uri) : `[${part.type}: not shown]`
  })
  const text = texts.join('\n') || (structuredContent === undefined ? '' : JSON.stringify(structuredContent))
  return { ok: isError !== true, text: text || 'Done, without words.' }
}
