/** Reading replies in tests: whole, in chunks, at every split point. */
import { expect } from 'vitest'
import type { Dialect, Message, ParserOptions, ReplyEvent, ToolSpec } from '../../../engine/index.ts'

export const tools: readonly ToolSpec[] = [
  tool('read', { path: 'string' }),
  tool('list', { path: 'string' }),
  tool('search', { pattern: 'string' }),
  tool('write', { path: 'string', content: 'string' }),
  tool('edit', { path: 'string', old: 'string', new: 'string' }),
  tool('shell', { command: 'string' }),
]

export function tool(name: string, fields: Record<string, string>): ToolSpec {
  const properties = Object.fromEntries(Object.entries(fields).map(([key, type]) => [key, { type }]))
  return {
    name,
    description: `Does ${name}.`,
    parameters: { type: 'object', properties, required: Object.keys(fields) },
  }
}

export function parse(
  dialect: Dialect,
  chunks: readonly string[],
  options: Partial<ParserOptions> = {},
): readonly ReplyEvent[] {
  const parser = dialect.parser({ tools, files: [], ...options })
  return join([...chunks.flatMap((chunk) => parser.push(chunk)), ...parser.end()])
}

/** Neighbours of one streaming kind as one. */
export function join(events: readonly ReplyEvent[]): ReplyEvent[] {
  const joined: ReplyEvent[] = []
  for (const event of events) {
    const last = joined.at(-1)
    if (
      (event.type === 'text' || event.type === 'reasoning' || event.type === 'call-delta') &&
      last?.type === event.type
    )
      joined[joined.length - 1] = { ...event, text: last.text + event.text }
    else joined.push(event)
  }
  return joined
}

/** Asserts that every split in two, and every character alone, reads as the whole does; gives the events. */
export function parseAnyhow(
  dialect: Dialect,
  text: string,
  options: Partial<ParserOptions> = {},
): readonly ReplyEvent[] {
  const whole = parse(dialect, [text], options)
  expect(parse(dialect, text.split(''), options)).toEqual(whole)
  for (let at = 1; at < text.length; at += 1) {
    expect(parse(dialect, [text.slice(0, at), text.slice(at)], options)).toEqual(whole)
  }
  return whole
}

export function calls(events: readonly ReplyEvent[]) {
  return events.flatMap((event) => (event.type === 'call' ? [event.call] : []))
}

export function malformed(events: readonly ReplyEvent[]) {
  return events.flatMap((event) => (event.type === 'malformed' ? [event.problem] : []))
}

export function texts(events: readonly ReplyEvent[], type: 'text' | 'reasoning' = 'text'): string {
  return events.map((event) => (event.type === type ? event.text : '')).join('')
}

/** A whole conversation as prompt text, with the assistant's turn open at the end. */
export function render(dialect: Dialect, messages: readonly Message[]): string {
  const pieces = messages.flatMap((message, index) => dialect.encode(message, messages[index - 1]))
  const last = messages.at(-1)
  return [...pieces, ...(last === undefined ? [] : dialect.open(last))].map((piece) => piece.text).join('')
}
