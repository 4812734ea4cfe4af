/** What is read ahead is what would be sent. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openAhead } from '../../src/tui/ahead.ts'
import { emptyEditor, insert, paste } from '../../src/tui/editor/editor.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function desk() {
  const read: string[] = []
  const turns = { running: false, words: (text: string) => `noted\n\n${text}` }
  const ui = { editor: emptyEditor }
  const ahead = openAhead({ ui, session: async () => ({ ahead: (draft) => void read.push(draft) }) }, turns)
  const type = async (editor: typeof emptyEditor, ms = 500) => {
    ui.editor = editor
    ahead.typed()
    await vi.advanceTimersByTimeAsync(ms)
  }
  return { read, turns, ui, type }
}

test('once the fingers rest, with what was pasted in full and what was noted before', async () => {
  const { read, ui, type } = desk()
  await type(insert(ui.editor, 'Explain this: '), 400)
  const pasted = 'a line\n'.repeat(20)
  await type(paste(ui.editor, pasted))
  expect(ui.editor.text).not.toContain('a line')
  expect(read).toEqual([`noted\n\nExplain this: ${pasted}`])
  // A paste alone is more than it looks like.
  await type(paste(emptyEditor, pasted))
  expect(read[1]).toBe(`noted\n\n${pasted}`)
})

test('not what is short, for a shell or for us, nor while a turn goes on', async () => {
  const { read, turns, type } = desk()
  for (const draft of ['short', '!git log --oneline -n 5', '/model qwen2.5-coder-0.5b'])
    await type(insert(emptyEditor, draft))
  turns.running = true
  await type(insert(emptyEditor, 'something long enough'))
  expect(read).toEqual([])
})
