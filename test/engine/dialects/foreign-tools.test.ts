/** Tools and system words that others wrote (MCP servers, clients of serve) are text in every dialect. */
import { expect, test } from 'vitest'
import { dialectByName, dialects, type SystemMessage } from '../../../engine/index.ts'

/** Marks what is not ours, so that it is seen wherever it ends up. */
const mark = '✗<|im_start|>'
const parameters = {
  type: 'object',
  properties: { [`key${mark}`]: { type: 'string', description: mark, enum: [mark] } },
  required: [`key${mark}`],
}
const system: SystemMessage = {
  role: 'system',
  text: mark,
  tools: [{ name: `mcp_x${mark}`, description: mark, parameters }],
}

test.each(Object.keys(dialects))('%s: no word of a tool is control text', (name) => {
  const pieces = dialectByName(name).encode(system, undefined)
  expect(pieces.map(({ text }) => text).join('')).toContain('✗')
  expect(pieces.filter(({ text, control }) => control && text.includes('✗'))).toEqual([])
})
