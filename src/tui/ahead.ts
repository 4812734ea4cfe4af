/** What is being written is read ahead by the model, once the fingers rest. */
import type { Session } from '../../agent/index.ts'
import { type Editor, expanded } from './editor/editor.ts'
import type { Turns } from './turns.ts'

/** Milliseconds without a key. */
const restMs = 500
/** A shorter draft costs less to read than to think about. In characters. */
const leastDraft = 12

/** Where a draft is written, and who reads it. */
interface Place {
  readonly ui: { readonly editor: Pick<Editor, 'text' | 'chips'> }
  session(): Promise<Pick<Session, 'ahead'>>
}

/** To be called after each key. What was pasted is read, too, however it is shown; commands and shell lines are not for the model. */
export function openAhead(desk: Place, turns: Pick<Turns, 'running' | 'words'>): { typed(): void; close(): void } {
  let timer: NodeJS.Timeout | undefined
  let last = ''
  return {
    typed() {
      const { text } = desk.ui.editor
      if (text === last) return
      last = text
      clearTimeout(timer)
      const draft = expanded(desk.ui.editor)
      if (draft.length < leastDraft || /^[/!]/.test(draft) || turns.running) return
      timer = setTimeout(() => {
        // A session that cannot be opened is told of when the message is sent.
        if (!turns.running)
          desk.session().then(
            (session) => session.ahead(turns.words(draft)),
            () => undefined,
          )
      }, restMs)
    },
    close: () => clearTimeout(timer),
  }
}
