/** What an editor sends as a prompt, as the words of a task. */
import { isAbsolute, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ContentBlock, RequestError } from '@agentclientprotocol/sdk'

/** Throws RequestError for what is not read here: the capabilities say so, too. `cwd`: the work tree. */
export function promptText(blocks: readonly ContentBlock[], cwd: string): string {
  const attached: string[] = []
  const words = blocks.map((block) => {
    switch (block.type) {
      case 'text':
        return block.text
      case 'resource_link':
        return nameOf(block.uri, cwd)
      case 'resource': {
        const name = nameOf(block.resource.uri, cwd)
        if ('text' in block.resource) attached.push(`${name}:\n${block.resource.text}`)
        return name
      }
      case 'image':
      case 'audio':
        throw RequestError.invalidParams({ prompt: block.type }, `${block.type} is not read here, only text and files`)
      default:
        return block satisfies never
    }
  })
  return [words.join('').trim(), ...attached].join('\n\n')
}

/** A file of the work tree by its path there: files that a task names are shown to the model. */
function nameOf(uri: string, cwd: string): string {
  if (!uri.startsWith('file:')) return uri
  try {
    const path = fileURLToPath(uri)
    const inside = relative(cwd, path)
    return inside.startsWith('..') || isAbsolute(inside) ? path : inside
  } catch {
    return uri // no path of this machine
  }
}
