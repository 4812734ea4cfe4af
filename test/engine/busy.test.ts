import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { busyNotices } from '../../engine/embedded/busy.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function told() {
  const texts: string[] = []
  return { texts, changed: busyNotices((text) => texts.push(text)) }
}

test('a neighbour that is soon gone is not worth a word', () => {
  const { texts, changed } = told()
  for (let i = 0; i < 10; i++) {
    changed(1, 2)
    vi.advanceTimersByTime(2000)
    changed(2, 2)
    vi.advanceTimersByTime(500)
  }
  changed(3, 4)
  vi.advanceTimersByTime(60_000)
  expect(texts).toEqual([])
})

test('one that stays is told once, with the threads of that moment, and so is its end', () => {
  const { texts, changed } = told()
  changed(4, 8)
  vi.advanceTimersByTime(3000)
  changed(2, 8)
  vi.advanceTimersByTime(2000)
  expect(texts).toEqual(['Other programs keep the processor busy: the model runs on 2 of 8 threads for now.'])
  changed(1, 8)
  vi.advanceTimersByTime(20_000)
  changed(8, 8)
  expect(texts.slice(1)).toEqual(['The processor is free again: the model runs on 8 threads.'])
  // And within the same minute nothing more.
  changed(1, 8)
  vi.advanceTimersByTime(20_000)
  changed(8, 8)
  expect(texts).toHaveLength(2)
  vi.advanceTimersByTime(20_000)
  changed(1, 8)
  vi.advanceTimersByTime(5000)
  expect(texts).toHaveLength(3)
})
