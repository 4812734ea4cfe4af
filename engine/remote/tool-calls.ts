/** Puts calls together from deltas, repairing what servers get wrong about indices and ids. */
import type { ReplyEvent } from '../dialect.ts'
import { readCalls } from '../dialects/json-call.ts'
import type { CallDelta } from './wire.ts'

interface Slot {
  readonly index: number | undefined
  id: string
  name: string
  text: string
  started: boolean
}

/** A call with the id that its server gave, which may be empty or used before. */
export type ServerCall = { readonly id: string; readonly name: string; readonly arguments: unknown }

export interface CallAssembly {
  add(delta: CallDelta): ReplyEvent[]
  /** All calls, in the order in which they began; `cut` when the reply was ended by a limit. */
  end(cut: boolean): readonly (ServerCall | { readonly text: string; readonly problem: string })[]
  readonly size: number
}

/**
 * A delta belongs to the slot with its index; a new id together with a name begins another call even under a used
 * index (servers that number every call 0). Without an index it belongs to the slot with its id, and without an id to
 * the last one, unless it names a tool and the last call is whole.
 */
export function callAssembly(): CallAssembly {
  const slots: Slot[] = []

  function slotOf(delta: CallDelta): Slot {
    const id = delta.id ?? ''
    const name = delta.function?.name ?? ''
    const last = slots.at(-1)
    const same = delta.index == null ? undefined : slots.findLast((slot) => slot.index === delta.index)
    if (same !== undefined && !(id !== '' && name !== '' && same.id !== '' && same.id !== id)) return same
    if (delta.index == null) {
      const known = id === '' ? undefined : slots.find((slot) => slot.id === id)
      if (known !== undefined) return known
      if (id === '' && last !== undefined && !(name !== '' && isWhole(last.text))) return last
    }
    const slot: Slot = { index: delta.index ?? undefined, id, name: '', text: '', started: false }
    slots.push(slot)
    return slot
  }

  return {
    get size() {
      return slots.length
    },
    add(delta) {
      const slot = slotOf(delta)
      const events: ReplyEvent[] = []
      const name = delta.function?.name ?? ''
      const text = delta.function?.arguments ?? ''
      if (slot.id === '') slot.id = delta.id ?? ''
      // Some servers send the name again with every delta, some send it in pieces.
      if (name !== slot.name && slot.text === '') slot.name += name
      if (text === '') return events
      if (!slot.started) {
        slot.started = true
        events.push({ type: 'call-start', name: slot.name })
      }
      slot.text += text
      events.push({ type: 'call-delta', text })
      return events
    },
    end: (cut) =>
      slots.map((slot) => {
        const read = readArguments(slot, cut)
        return 'problem' in read
          ? { text: slot.text, problem: read.problem }
          : { id: slot.id, name: slot.name, arguments: read.value }
      }),
  }
}

function readArguments({ name, text }: Slot, cut: boolean): { readonly value: unknown } | { readonly problem: string } {
  if (name === '') return { problem: 'The call names no tool.' }
  const json = text.trim()
  if (json === '') return cut ? { problem: cutProblem(name) } : { value: {} }
  if (isWhole(json)) return { value: JSON.parse(json) }
  if (cut) return { problem: cutProblem(name) }
  const read = readCalls(`{"name": ${JSON.stringify(name)}, "arguments": ${json}}`)
  if ('problem' in read) return { problem: `The arguments of ${name} are not valid JSON. Write the call again.` }
  return { value: read.calls[0]?.arguments ?? {} }
}

function cutProblem(name: string): string {
  return `The reply was cut inside the call of ${name}, so it was not done. Write it again, shorter.`
}

function isWhole(json: string): boolean {
  try {
    JSON.parse(json)
    return true
  } catch {
    // Any error means that more must come, or that it is broken.
    return false
  }
}
