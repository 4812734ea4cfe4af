/** Takes big, old texts out of a conversation that grows too long: a line stays in the place of each, and brings it back. */
import type { Message } from '../../engine/index.ts'
import type { Placed } from '../log/format.ts'
import { replaceFencedFiles } from './fence.ts'

/** Shorter texts stay: the line in their place would be half as long. In characters. */
const leastText = 600
/** Messages at the end that stay as they are while a turn goes on: what is being worked on. */
export const mostRecent = 6

export interface PagedOut {
  readonly messages: readonly Placed[]
  /** For `recall`, by id. */
  readonly pages: readonly { readonly id: string; readonly text: string }[]
  /** Files that the model does not have in front of it any more. */
  readonly files: readonly string[]
  /** Characters that are gone from the conversation. */
  readonly characters: number
}

/**
 * Pages out until so many characters are gone, the oldest first. What the user said, the system and the instructions stay.
 * `nextId` gives ids that are not taken; `recent`: messages at the end that stay. Undefined when there is nothing to page out.
 */
export function pageOut(
  placed: readonly Placed[],
  characters: number,
  nextId: () => string,
  recent: number = mostRecent,
): PagedOut | undefined {
  const pages: { id: string; text: string }[] = []
  const files: string[] = []
  let gone = 0
  const page = (text: string, stub: (id: string) => string): string => {
    const id = nextId()
    const line = stub(id)
    pages.push({ id, text })
    gone += text.length - line.length
    return line
  }
  const last = placed.length - recent
  const messages = placed.map((one, at): Placed => {
    if (one.segment !== 'conversation' || at >= last || gone >= characters) return one
    const message = paged(one.message, page, files)
    return message === one.message ? one : { segment: one.segment, message }
  })
  return pages.length === 0 ? undefined : { messages, pages, files, characters: gone }
}

function paged(
  message: Message,
  page: (text: string, stub: (id: string) => string) => string,
  files: string[],
): Message {
  switch (message.role) {
    case 'tool': {
      const { text, name } = message
      if (text.length < leastText) return message
      const first = text.split('\n', 1)[0]?.slice(0, 80) ?? ''
      return {
        ...message,
        text: page(
          text,
          (id) =>
            `${first}\n[${id}: the rest of this ${name} result is paged out, ${text.length} characters; recall ${id} brings it back]`,
        ),
      }
    }
    case 'user': {
      const text = replaceFencedFiles(message.text, (path, whole) => {
        if (whole.length < leastText) return whole
        files.push(path)
        return page(
          whole,
          (id) =>
            `[${id}: ${path} as it was then is paged out; read it for what it is now, recall ${id} for what it was]`,
        )
      })
      return text === message.text ? message : { ...message, text }
    }
    case 'system':
    case 'assistant':
      return message
    default:
      return message satisfies never
  }
}
