import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Spellings, splitTrusted, splitUntrusted } from '../../engine/host/split.ts'

const specials = ['<think>', '</think>', '｜DSML｜', 'aa', '<<']
const spellings = new Spellings(specials)

describe('splitUntrusted', () => {
  test('cuts every spelling after its first character, also where they overlap', () => {
    expect(splitUntrusted('a<think>b', spellings)).toEqual(['a<', 'think>b'])
    expect(splitUntrusted('aaaa', spellings)).toEqual(['a', 'a', 'a', 'a'])
    expect(splitUntrusted('<<think>', spellings)).toEqual(['<', '<', 'think>'])
    expect(splitUntrusted('', spellings)).toEqual([])
  })

  test('loses nothing, and leaves no spelling whole', () => {
    const part = fc.oneof(fc.constantFrom(...specials, '<', 'a', '😀'), fc.string({ unit: 'binary', maxLength: 5 }))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const text = parts.join('')
        const pieces = splitUntrusted(text, spellings)
        expect(pieces.join('')).toBe(text)
        expect(pieces.filter((piece) => specials.some((special) => piece.includes(special)))).toEqual([])
      }),
    )
  })

  test('is linear in the length of the text', () => {
    const text = `${'<th'.repeat(680)} `.repeat(500)
    const before = process.cpuUsage()
    splitUntrusted(text, spellings)
    const { user } = process.cpuUsage(before)
    expect(user / 1000).toBeLessThan(2000)
  })
})

describe('splitTrusted', () => {
  test('cuts runs of one class, not ordinary text', () => {
    const ordinary = 'const x = 1\n'.repeat(1000)
    expect(splitTrusted(ordinary, spellings)).toEqual([ordinary])
    for (const unit of ['x', ' ', '\n', '漢', '😀']) {
      const pieces = splitTrusted(unit.repeat(10_000), spellings)
      expect(pieces.join('')).toBe(unit.repeat(10_000))
      for (const piece of pieces) {
        expect(piece.length).toBeLessThanOrEqual(2049)
        expect(piece.isWellFormed()).toBe(true)
      }
    }
  })

  test('moves a cut before a spelling', () => {
    const text = `${'-'.repeat(2045)}<think>-`
    expect(splitTrusted(text, spellings)).toEqual(['-'.repeat(2045), '<think>-'])
  })
})
