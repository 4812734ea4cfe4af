/** Questions aside while a turn goes on: answered beside it, and shown when no other text is being written. */
import type { Usage } from '../../engine/index.ts'
import type { Desk } from './desk.ts'
import { type Line, line } from './text/style.ts'
import { wrap } from './text/wrap.ts'
import { markdown } from './transcript/markdown.ts'

export interface Asides {
  ask(question: string): void
  /** Shows what was answered, unless a text is being written: it would stand in the middle of it. */
  show(): void
  interrupt(): void
  /** Waits until none is open. */
  idle(): Promise<void>
}

export function openAsides(desk: Desk, ended: (usage: Usage) => void): Asides {
  const { ui, transcript } = desk
  const open = new Map<Promise<void>, AbortController>()
  let answers: { readonly question: string; readonly block: (width: number) => Line[] }[] = []

  const show = (): void => {
    if (transcript.streaming) return
    for (const { question, block } of answers) {
      transcript.addUser(`/btw ${question}`)
      transcript.add(block)
    }
    answers = []
  }

  async function answer(question: string, signal: AbortSignal): Promise<void> {
    let text = ''
    const problems: string[] = []
    try {
      const session = await desk.session()
      for await (const event of session.aside(question, { signal })) {
        if (event.type === 'text') text += event.text
        if (event.type === 'usage') ended(event.usage)
        if (event.type === 'notice') problems.push(event.text)
      }
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
    if (signal.aborted) problems.push('interrupted')
    const block = (width: number): Line[] => [
      ...markdown(text.trim(), { width, highlight: transcript.options.highlight }),
      ...problems.flatMap((problem) => wrap(line(`✗ ${problem}`, { role: 'error' }), width)),
    ]
    answers.push({ question, block })
  }

  return {
    show,
    ask(question) {
      const stop = new AbortController()
      const entry = { question }
      ui.asides = [...ui.asides, entry]
      const work = answer(question, stop.signal).then(() => {
        open.delete(work)
        ui.asides = ui.asides.filter((one) => one !== entry)
        show()
        desk.draw()
      })
      open.set(work, stop)
      desk.draw()
    },
    interrupt() {
      for (const stop of open.values()) stop.abort()
    },
    async idle() {
      while (open.size > 0) await Promise.all(open.keys())
    },
  }
}
