/** From placed messages back to segments. */
import type { Message, Segment } from '../../engine/index.ts'
import type { Placed } from './format.ts'

/** Runs of messages of one segment. */
export function segmentsOf(placed: readonly Placed[]): Segment[] {
  const segments: { name: Segment['name']; messages: Message[] }[] = []
  for (const { segment, message } of placed) {
    const current = segments.at(-1)
    if (current?.name === segment) current.messages.push(message)
    else segments.push({ name: segment, messages: [message] })
  }
  return segments
}
