/** While nobody does anything: the repository in the context is brought up to date. */
import type { Desk } from './desk.ts'
import type { Turns } from './turns.ts'

/** Milliseconds after a turn. */
const restMs = 4000

/** To be told of each turn's end. What a new turn needs it gets at once: reading behind the user's back ends then. */
export function openIdle(desk: Desk, turns: () => Turns): { turnEnded(): void; close(): void } {
  const ended = new AbortController()
  let timer: NodeJS.Timeout | undefined

  const rebase = async (): Promise<void> => {
    if (turns().running || ended.signal.aborted) return
    const session = await desk.session()
    if (!(await session.rebase({ signal: ended.signal }))) return
    desk.ui.contextUsed = session.contextTokens ?? desk.ui.contextUsed
    desk.hint('the repository in the context was brought up to date')
  }

  return {
    turnEnded() {
      clearTimeout(timer)
      // A session that cannot be opened is told of when something is asked of it.
      timer = setTimeout(() => void rebase().catch(() => undefined), restMs)
      timer.unref()
    },
    close() {
      clearTimeout(timer)
      ended.abort()
    },
  }
}
