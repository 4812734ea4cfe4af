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
 * `nextId` gives ids that are not taken; `recent`: messages at the end that stay; `recall`: whether the model has the tool
 * that brings a page back. Undefined when there is nothing to page out.
 */
export function pageOut(
  placed: readonly Placed[],
  characters: number,
  nextId: () => string,
  { recent = mostRecent, recall = true }: { readonly recent?: number; readonly recall?: boolean } = {},
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
    const message = paged(one.message, { page, files, recall })
    return message === one.message ? one : { segment: one.segment, message }
  })
  return pages.length === 0 ? undefined : { messages, pages, files, characters: gone }
}

interface Paging {
  readonly page: (text: string, stub: (id: string) => string) => string
  readonly files: string[]
  readonly recall: boolean
}

function paged(message: Message, { page, files, recall }: Paging): Message {
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
            `${first}\n[${id}: the rest of this ${name} result is paged out, ${text.length} characters; ${recall ? `recall ${id} brings it back` : 'ask for it again when you need it'}]`,
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
            `[${id}: ${path} as it was then is paged out; read it for what it is now${recall ? `, recall ${id} for what it was` : ''}]`,
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

/** Texts that are dropped for a summary, as one page: who said what, in their order. */
export function pageOfTalk(dropped: readonly Placed[]): string {
  return dropped
    .flatMap(({ message }) => {
      if (message.role === 'system') return []
      const calls =
        message.role === 'assistant'
          ? message.calls.map((call) => `[${call.name} ${JSON.stringify(call.arguments)}]`)
          : []
      const who = message.role === 'tool' ? `${message.name} gave` : message.role
      return [`${who}:\n${[message.text, ...calls].filter((part) => part !== '').join('\n')}`]
    })
    .join('\n\n')
}

/** Lines for the user: what each dropped message was. */
export function linesOfTalk(dropped: readonly Placed[], most: number): string[] {
  const lines = dropped.flatMap(({ message }) => {
    if (message.role === 'system') return []
    const who = message.role === 'user' ? 'to the model' : message.role === 'tool' ? message.name : 'the model'
    const calls = message.role === 'assistant' ? message.calls.map(({ name }) => name) : []
    const words = message.text.replace(/\s+/g, ' ').trim() || calls.join(', ')
    return [`${who}: ${words.length > 60 ? `${words.slice(0, 59)}…` : words} (${message.text.length} characters)`]
  })
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), `and ${lines.length - most + 1} more`]
}
