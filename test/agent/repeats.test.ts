/** Which calls are a circle. */
import { expect, test } from 'vitest'
import { repeats } from '../../agent/turn/repeats.ts'

/** What is said of each of some calls, named by a letter; a dot is fresh. */
function said(calls: string): string {
  const circles = repeats()
  const notes = [...calls].map((name, at) => circles.note({ id: `${at}`, name: 'shell', arguments: { command: name } }))
  return notes.map((note) => ({ fresh: '.', told: 't', again: 'a' })[note]).join('')
}

test('the same three times, or several twice in the same order; it is told once', () => {
  expect(said('aaa')).toBe('..t')
  expect(said('aaaa')).toBe('..ta')
  expect(said('abab')).toBe('...t')
  expect(said('aabaab')).toBe('.....t')
  expect(said('aabaaba')).toBe('.....ta')
  expect(said('abcdefabcdef')).toBe('...........t')
  expect(said('xyabcabc')).toBe('.......t')
})

test('what comes again between other things is none', () => {
  for (const calls of ['aa', 'aba', 'abcab', 'abcabd', 'aabbaac', 'abcdefgabcdefg'])
    expect(said(calls)).not.toMatch(/[ta]/)
})
