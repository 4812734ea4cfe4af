import { Console } from 'node:console'
import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
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

it('a frame that finds the terminal smaller keeps its finished lines until the new size is settled', async () => {
  const terminal = new Narrowed()
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
  let settle: (row: number) => void = () => undefined
  const drawing = openDrawing({
    ui,
    transcript,
    stdout: terminal as unknown as NodeJS.WriteStream,
    depth: 'none',
    theme: themeNamed('dark') as NonNullable<ReturnType<typeof themeNamed>>,
    screenReader: false,
    cursorRow: () =>
      new Promise((resolve) => {
        settle = resolve
      }),
  })
  drawing.draw()
  terminal.next = 40
  transcript.add(() => [line('finished')])
  drawing.draw()
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(terminal.written).not.toContain('finished')
  settle(3)
  await new Promise((resolve) => setTimeout(resolve, 60))
  drawing.draw()
  await drawing.close()
  expect(terminal.written.split('finished').length - 1).toBe(1)
})
