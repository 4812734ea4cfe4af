/** A log of a conversation that nobody will go on with: a question aside, an exploration. It is nowhere but here. */
import { chain, type LogWriter } from './write.ts'

/** `visible`: the chain at the place where the conversation was forked. */
export function memoryLog(visible: string): LogWriter {
  let now = visible
  return {
    file: '',
    get visible() {
      return now
    },
    note: async () => undefined,
    async messages(placed) {
      now = placed.reduce(chain, now)
    },
    async rewind(to) {
      now = to
    },
    async rebuild({ messages }) {
      now = messages.reduce(chain, '')
    },
    close: async () => undefined,
  }
}
