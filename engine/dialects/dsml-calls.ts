/** Calls and tool lists as DeepSeek's encoders write them. */
import type { Piece } from '../dialect.ts'
import type { ToolCall, ToolSpec } from '../messages.ts'
import { isRecord } from './arguments.ts'
import { untrusted } from './chatml.ts'
import { closeTag, type DsmlSpelling, openTag } from './deepseek-words.ts'
import { pythonJson } from './json-text.ts'

/**
 * The block of a reply's calls, without what stands before it. Values are written as they are: the protocol knows no
 * escape, and a value that holds a closing tag stays apart from one by its tokens only.
 */
export function callBlock(
  calls: readonly ToolCall[],
  spelling: DsmlSpelling,
  spell: (text: string) => Piece[],
  emptyLine: boolean,
): Piece[] {
  const pieces: Piece[] = spell(`${openTag(spelling, spelling.block)}>\n`)
  for (const call of calls) {
    pieces.push(...spell(`${openTag(spelling, 'invoke')} name="`), untrusted(call.name), ...spell('">\n'))
    // Arguments that are no object have one name for all, as in the official encoder.
    const values = isRecord(call.arguments)
      ? call.arguments
      : { arguments: typeof call.arguments === 'string' ? call.arguments : pythonJson(call.arguments) }
    const entries = Object.entries(values).filter(([, value]) => value !== undefined)
    for (const [name, value] of entries) {
      const string = typeof value === 'string'
      pieces.push(
        ...spell(`${openTag(spelling, 'parameter')} name="`),
        untrusted(name),
        ...spell(`" string="${string}">`),
        untrusted(string ? value : pythonJson(value)),
        ...spell(`${closeTag(spelling, 'parameter')}\n`),
      )
    }
    if (entries.length === 0 && emptyLine) pieces.push(...spell('\n'))
    pieces.push(...spell(`${closeTag(spelling, 'invoke')}\n`))
  }
  return [...pieces, ...spell(closeTag(spelling, spelling.block))]
}

/** One JSON object a line. Descriptions may come from elsewhere (MCP), so they are no control text. */
export function toolLines(tools: readonly ToolSpec[]): string {
  return tools.map(({ name, description, parameters }) => pythonJson({ name, description, parameters })).join('\n')
}
