/** A one-shot run on a real pseudo-terminal: what the screen shows, and Ctrl-C typed on the keyboard. */
import { spawn } from '@lydell/node-pty'
import xterm from '@xterm/headless'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { editCall } from './calls.ts'
import { environment, launcher, type Scratch, scratch } from './program.ts'

let place: Scratch
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n' })
})
afterEach(() => place.remove())

interface Shown {
  readonly code: number
  /** Every byte that was written to the terminal. */
  readonly bytes: string
  /** The lines of the screen and its scrollback at the end. */
  readonly lines: readonly string[]
}

/** `keys` are typed when the sign is on the screen. */
async function show(
  words: readonly string[],
  sign?: RegExp,
  keys = '',
  env: Record<string, string> = {},
): Promise<Shown> {
  const screen = new xterm.Terminal({ cols: 160, rows: 30, allowProposedApi: true })
  let bytes = ''
  let typed = false
  const child = spawn(process.execPath, [launcher, ...words], {
    cols: 160,
    rows: 30,
    cwd: place.repo,
    env: { ...environment(place.home), TERM: 'xterm-256color', ...env },
  })
  const drawn: Promise<void>[] = []
  child.onData((data) => {
    bytes += data
    drawn.push(new Promise((resolve) => screen.write(data, resolve)))
    if (!typed && sign?.test(bytes) === true) {
      typed = true
      child.write(keys)
    }
  })
  const code = await new Promise<number>((resolve) => child.onExit(({ exitCode }) => resolve(exitCode)))
  await Promise.all(drawn)
  const buffer = screen.buffer.active
  const lines = Array.from({ length: buffer.length }, (_, at) => buffer.getLine(at)?.translateToString(true) ?? '')
  return { code, bytes, lines: lines.join('\n').trimEnd().split('\n') }
}

test('a job: header, words, call, diff and summary, in colour and without debris', async () => {
  const model = place.script([
    { reasoning: 'Hm.', text: 'Now.', calls: [editCall('a.txt', 'one', 'two')] },
    { text: 'Changed.' },
  ])
  const { code, bytes, lines } = await show(['run', 'Change a.txt', '--model', model])
  expect(code).toBe(0)
  expect(lines[0]).toMatch(/^scripted · sandbox bwrap · /)
  const shown = lines.map((line) => line.trimEnd())
  for (const line of ['Hm.', 'Now.', '-one', '+two', 'Changed.']) expect(shown).toContain(line)
  expect(shown.filter((line) => line.startsWith('✓ edit a.txt'))).toHaveLength(1)
  expect(shown.at(-1)).toMatch(/^✓ done · 1 file changed \+1 −1 · 2 steps/)
  // Colours only: nothing that moves the cursor, clears, or sets a mode or title.
  expect(bytes.replace(/\x1b\[[\d;]*m/g, '')).not.toContain('\x1b')
  expect(bytes).toContain('\x1b[32m+two')
})

test('NO_COLOR: no escape sequence at all', async () => {
  const { bytes } = await show(['run', 'Hello', '--model', place.script([{ text: 'Hi.' }])], undefined, '', {
    NO_COLOR: '1',
  })
  expect(bytes).not.toContain('\x1b')
})

test('Ctrl-C on the keyboard: exit 130 and a last word', async () => {
  const model = place.script([{ text: 'word '.repeat(5000), chunkMs: 5 }])
  const { code, lines } = await show(['run', 'Hello', '--model', model], /word word/, '\x03')
  expect(code).toBe(130)
  expect(lines.at(-1)).toMatch(/^✗ interrupted · no file changed/)
})

test('without a command there is a word about what to do, and the terminal is left alone', async () => {
  const { code, lines } = await show(['rnu'])
  expect(code).toBe(2)
  expect(lines.join(' ')).toContain('did you mean "run"?')
})
