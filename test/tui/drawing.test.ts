import { Console } from 'node:console'
import { EventEmitter } from 'node:events'
import { expect, it, vi } from 'vitest'
import { openDrawing } from '../../src/tui/drawing.ts'
import { line } from '../../src/tui/text/style.ts'
import { themeNamed } from '../../src/tui/text/themes.ts'
import { openTranscript } from '../../src/tui/transcript/transcript.ts'
import { newUi } from '../../src/tui/ui.ts'

// Ink makes a console of its own; the test runner's has no constructor for it.
Object.assign(console, { Console })

/** A terminal that is made smaller, of which the program has not been told by a signal yet. */
class Narrowed extends EventEmitter {
  readonly isTTY = true
  readonly writable = true
  columns = 80
  rows = 24
  next: number | undefined
  written = ''
  write(text: string): boolean {
    this.written += text
    return true
  }
  _refreshSize(): void {
    if (this.next === undefined) return
    this.columns = this.next
    this.next = undefined
    this.emit('resize')
  }
}

/** A drawing on a terminal that answers when it is told to, with the row given. */
function opened(terminal: Narrowed) {
  const transcript = openTranscript({ reasoning: 'folded' })
  const ui = newUi({
    mode: 'ask',
    model: 'm',
    contextTokens: undefined,
    sandbox: '',
    folder: '/w',
    statusItems: [],
    still: true,
    vim: undefined,
    rings: false,
  })
  const questions: ((row: number) => void)[] = []
  const drawing = openDrawing({
    ui,
    transcript,
    stdout: terminal as unknown as NodeJS.WriteStream,
    depth: 'none',
    theme: themeNamed('dark') as NonNullable<ReturnType<typeof themeNamed>>,
    screenReader: false,
    calmMs: 1,
    cursorRow: () => new Promise((resolve) => void questions.push(resolve)),
  })
  return { drawing, transcript, questions }
}

it('a frame that finds the terminal smaller keeps its finished lines until the new size is settled', async () => {
  const terminal = new Narrowed()
  const { drawing, transcript, questions } = opened(terminal)
  drawing.draw()
  terminal.next = 40
  transcript.add(() => [line('finished')])
  drawing.draw()
  await vi.waitUntil(() => questions.length > 0)
  expect(terminal.written).not.toContain('finished')
  questions[0]?.(3)
  await vi.waitUntil(() => terminal.written.includes('finished'))
  await drawing.close()
  expect(terminal.written.split('finished').length - 1).toBe(1)
})

it('a window that is dragged is settled once, and nothing is drawn as it was laid out for another size', async () => {
  const terminal = new Narrowed()
  const { drawing, transcript, questions } = opened(terminal)
  transcript.apply({ type: 'text', text: 'streaming words '.repeat(4) }, 0)
  drawing.draw()
  await vi.waitUntil(() => terminal.written.includes('streaming words'))
  for (const columns of [70, 60, 50, 40]) {
    terminal.columns = columns
    terminal.emit('resize')
    drawing.draw()
  }
  await vi.waitUntil(() => questions.length > 0)
  const before = terminal.written.length
  questions[0]?.(20)
  await vi.waitUntil(() => terminal.written.slice(before).includes('words'))
  await drawing.close()
  expect(questions.length).toBe(1)
  // What was laid out for 80 columns would be cut to 40.
  expect(terminal.written).not.toContain('…')
})
