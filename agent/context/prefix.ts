/** What a session begins with: the same bytes for the same model, tools and instructions. */
import type { Message, ModelInfo, Segment, ToolSpec } from '../../engine/index.ts'
import type { Workspace } from '../../sandbox/index.ts'
import { type Tool, toolSchema } from '../../tools/index.ts'
import smallPrompt from '../prompts/small.md'
import fullPrompt from '../prompts/system.md'
import { fenceFor } from './fence.ts'

/** Characters of AGENTS.md that are shown; a small model has neither the room nor the patience. */
const instructionLimit = { full: 24_000, small: 2_000 } as const

/**
 * The segments before the conversation: system (our words and the tools, trusted) and, where there are any, instructions
 * (AGENTS.md and the user's standing words, untrusted).
 */
export async function buildPrefix(options: {
  readonly info: ModelInfo
  readonly tools: readonly Tool[]
  readonly workspace: Workspace
  readonly instructions: boolean
  readonly appendSystem: string | undefined
}): Promise<Segment[]> {
  const { info, tools, workspace } = options
  const text = (info.prompt === 'small' ? smallPrompt : fullPrompt).trim()
  const system: Segment = { name: 'system', messages: [{ role: 'system', text, tools: tools.map(specOf) }] }

  const words: string[] = []
  if (options.instructions) {
    const own = await readInstructions(workspace, instructionLimit[info.prompt])
    if (own !== undefined) words.push(own)
  }
  if (options.appendSystem !== undefined && options.appendSystem.trim() !== '') words.push(options.appendSystem.trim())
  if (words.length === 0) return [system]
  const messages: Message[] = [{ role: 'user', text: words.join('\n\n') }]
  return [system, { name: 'instructions', messages }]
}

function specOf(tool: Tool): ToolSpec {
  return { name: tool.name, description: tool.description, parameters: toolSchema(tool) }
}

/** AGENTS.md of the root, cut at a line; undefined when there is none, it is empty, or no text file. */
async function readInstructions(workspace: Workspace, limit: number): Promise<string | undefined> {
  let text: string
  try {
    if ((await workspace.stat('AGENTS.md'))?.kind !== 'file') return undefined
    text = (await workspace.read('AGENTS.md', { maxBytes: 1024 * 1024 })).toString('utf8').trim()
  } catch {
    // Absurdly large or unreadable: the session goes on without it, as it does without the file.
    return undefined
  }
  if (text === '' || text.includes('\0')) return undefined
  const cut = text.length > limit
  const shown = cut ? `${text.slice(0, text.lastIndexOf('\n', limit) + 1 || limit)}[… the rest is left out]` : text
  const fence = fenceFor(shown)
  return `The instructions of this repository (AGENTS.md). Follow them where they bear on the task.\n\n${fence}markdown\n${shown}\n${fence}`
}
