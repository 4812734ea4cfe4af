import { describe, expect, test } from 'vitest'
import { OutputBuffer } from '../../sandbox/output.ts'

const fill = (buffer: OutputBuffer, ...chunks: string[]): string =>
  chunks.map((chunk) => buffer.push(Buffer.from(chunk))).join('')

describe('what is kept of output', () => {
  test('everything, when it fits', () => {
    const buffer = new OutputBuffer(10)
    fill(buffer, 'abcd', 'efghij')
    expect(buffer.finish()).toEqual({ text: 'abcdefghij', truncated: false })
  })

  test('head and tail, when it does not, and how much is gone', () => {
    const buffer = new OutputBuffer(10)
    fill(buffer, 'abcdefgh', 'ijklmnop', 'qrstuvwxyz')
    expect(buffer.finish()).toEqual({ text: 'abcde\n[… 16 bytes cut …]\nvwxyz', truncated: true })
    expect(buffer.total).toBe(26)
  })

  test.each([1, 2, 3, 5, 7])('the same however it is split (by %i)', (size) => {
    const text = 'äöü→😀'.repeat(40)
    const bytes = Buffer.from(text)
    const [whole, parts] = [new OutputBuffer(64), new OutputBuffer(64)]
    whole.push(bytes)
    let live = ''
    for (let at = 0; at < bytes.length; at += size) live += parts.push(bytes.subarray(at, at + size))
    expect(parts.finish()).toEqual(whole.finish())
    expect(live).toBe(text)
  })

  test('a cut through a character invents no replacement character', () => {
    for (let limit = 2; limit < 40; limit++) {
      const buffer = new OutputBuffer(limit)
      fill(buffer, '😀ä'.repeat(50))
      expect(buffer.finish().text).not.toContain('\ufffd')
    }
  })

  test('invalid bytes and NUL do not stop it', () => {
    const buffer = new OutputBuffer(100)
    buffer.push(Buffer.from([0x61, 0xff, 0x00, 0xc3, 0x28, 0x62]))
    expect(buffer.finish().text).toBe('a\ufffd\0\ufffd(b')
  })

  test('a flood does not grow memory', () => {
    const buffer = new OutputBuffer(256 * 1024)
    const chunk = Buffer.alloc(65_536, 'x')
    const before = process.memoryUsage().arrayBuffers
    for (let written = 0; written < 2 ** 30; written += chunk.length) buffer.push(chunk)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
    expect(buffer.finish().text.length).toBeLessThan(257 * 1024)
    expect(buffer.total).toBe(2 ** 30)
  })

  test('many tiny writes do not either', () => {
    const buffer = new OutputBuffer(1024)
    for (let count = 0; count < 200_000; count++) buffer.push(Buffer.from('y'))
    expect(buffer.finish().text).toHaveLength(1024 + '\n[… 198976 bytes cut …]\n'.length)
  })
})
