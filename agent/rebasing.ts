/** Bringing the repository in the context up to date, as work that anything else ends at once. */
import { prepareRebase } from './context/rebase.ts'
import type { Conversation } from './conversation.ts'
import type { Memory } from './memory.ts'

type Options = Omit<Parameters<typeof prepareRebase>[1], 'rest'>

export interface Rebasing {
  /** False while one goes on, and where there was nothing to do. Does not reject. */
  run(conversation: Conversation, memory: Memory, options: Options): Promise<boolean>
  /** Ends it; the conversation is whole when this resolves. */
  stop(): Promise<void>
}

export function openRebasing(): Rebasing {
  /** Once: it joins, or there is no room or nothing to read for this session. */
  let rest = true
  let going: { readonly stop: AbortController; readonly work: Promise<boolean> } | undefined

  async function rebase(conversation: Conversation, memory: Memory, options: Options): Promise<boolean> {
    const count = conversation.placed.length
    const made = await prepareRebase(conversation, { ...options, rest }).finally(() => {
      rest &&= options.signal.aborted
    })
    if (made === undefined) return false
    if (options.signal.aborted || conversation.placed.length !== count) {
      await made.ready.close()
      return false
    }
    await conversation.rebuild({ why: 'rebased', messages: made.messages, pages: [], gone: [] }, made.ready)
    memory.resident(made.known)
    memory.rebuilt()
    return true
  }

  return {
    async run(conversation, memory, options) {
      if (going !== undefined) return false
      const stop = new AbortController()
      const signal = AbortSignal.any([options.signal, stop.signal])
      // What could not be read now is told when it is asked for.
      const work = rebase(conversation, memory, { ...options, signal }).catch(() => false)
      going = { stop, work }
      const done = await work
      going = undefined
      return done
    },
    async stop() {
      going?.stop.abort()
      await going?.work
    },
  }
}
