/** The words of `fenced`: how a model is told to answer, and how calls and results are written. */
import type { AssistantMessage, JsonSchema, SystemMessage, ToolCall, ToolMessage } from '../messages.ts'
import { oneTextTools } from './fenced-output.ts'
import { pythonJson } from './json-text.ts'

/** A tool's result as text. */
export function resultText({ name, text, ok }: ToolMessage): string {
  return `${ok ? `Result of ${name}` : `Failed: ${name}`}:\n${text}`
}

/** The system's words, with how to answer. */
export function systemText({ text, tools }: SystemMessage): string {
  const names = new Set(tools.map((tool) => tool.name))
  const lines: string[] = []
  if (names.has('write')) {
    lines.push(
      'To create a file or replace a whole file, write its path alone on one line, then the whole file in one code fence.',
    )
  }
  if (names.has('edit')) {
    lines.push(
      'To change a few lines of a long file, write its path alone on one line, then <<<<<<< SEARCH, the old lines exactly, =======, the new lines, >>>>>>> REPLACE, each marker alone on its line.',
    )
  }
  if (names.has('shell')) lines.push('To run a command, write it in a ```sh fence; you get its output.')
  const oneText = oneTextTools(tools)
  const looks = ['read', 'list', 'search'].filter((name) => oneText.has(name))
  if (looks.length > 0) {
    const fences = looks.map((name) => `\`\`\`${name} (${oneText.get(name)})`).join(', ')
    lines.push(`To look first, write one line in a fence: ${fences}.`)
  }
  const known = new Set(['write', 'edit', 'shell', ...looks])
  const others = tools
    .filter((tool) => !known.has(tool.name))
    .map((tool) => `${tool.name}(${fieldsOf(tool.parameters)})`)
  if (others.length > 0) {
    lines.push(`Other tools, called by a \`\`\`json fence with "name" and "arguments": ${others.join(', ')}.`)
  }
  return lines.length === 0 ? text : `${text}\n\n${lines.join('\n')}`
}

function fieldsOf(parameters: JsonSchema): string {
  return Object.keys(parameters['properties'] ?? {}).join(', ')
}

/** A reply that was not sampled here (another model's), in this dialect's spelling. */
export function replyText({ text, calls }: AssistantMessage): string {
  return [...(text === '' ? [] : [text]), ...calls.map(callText)].join('\n\n')
}

function callText({ name, arguments: input }: ToolCall): string {
  const fields: Readonly<Record<string, unknown>> = typeof input === 'object' && input !== null ? { ...input } : {}
  const { path, content, command } = fields
  if (name === 'write' && typeof path === 'string' && typeof content === 'string')
    return `${path}\n${fence('', content)}`
  if (
    name === 'edit' &&
    typeof path === 'string' &&
    typeof fields['old'] === 'string' &&
    typeof fields['new'] === 'string'
  ) {
    return `${path}\n<<<<<<< SEARCH\n${line(fields['old'])}=======\n${line(fields['new'])}>>>>>>> REPLACE`
  }
  if (name === 'shell' && typeof command === 'string') return fence('sh', command)
  return fence('json', pythonJson({ name, arguments: input }))
}

/** Longer than any fence inside. */
function fence(language: string, content: string): string {
  const longest = Math.max(2, ...[...content.matchAll(/`+/g)].map(([marks]) => marks.length))
  const marks = '`'.repeat(longest + 1)
  return `${marks}${language}\n${line(content)}${marks}`
}

function line(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}
