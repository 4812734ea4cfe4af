/** What is being written is read ahead by the model, once the fingers rest. */
import type { Desk } from './desk.ts'
import type { Turns } from './turns.ts'

/** Milliseconds without a key. */
const restMs = 500
/** A shorter draft costs less to read than to think about. In characters. */
const leastDraft = 12

/** To be called after each key. Commands and shell lines are not for the model. */
export function openAhead(desk: Desk, turns: Turns): { typed(): void; close(): void } {
  let timer: NodeJS.Timeout | undefined
  let last = ''
  return {
    typed() {
      const { text } = desk.ui.editor
      if (text === last) return
      last = text
      clearTimeout(timer)
      if (text.length < leastDraft || /^[/!]/.test(text) || turns.running) return
      timer = setTimeout(() => {
        // A session that cannot be opened is told of when the message is sent.
        if (!turns.running)
          desk.session().then(
            (session) => session.ahead(text),
            () => undefined,
          )
      }, restMs)
    },
    close: () => clearTimeout(timer),
  }
}
