/** The interface measured on a real pseudo-terminal: what is written and lost. Wall time is for `npm run bench`. */
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { cursorQuestion, frameEnd, openPty, type Pty, type PtyOptions } from './pty.ts'

let pty: Pty
afterEach(() => pty.dispose())

const open = async (options: PtyOptions): Promise<Pty> => {
  pty = openPty(options)
  await pty.until(/\/help lists/)
  await pty.until('scripted')
  return pty
}

const numbered = (count: number, tail: string): string[] =>
  Array.from({ length: count }, (_, n) => `L${String(n).padStart(5, '0')} ${tail}`)

/** Which of the lines are on the terminal how often, each found by its number. */
function tally(lines: readonly string[]): Map<string, number> {
  const seen = new Map<string, number>()
  for (const line of lines) {
    for (const [number] of line.matchAll(/L\d{5}/g)) seen.set(number, (seen.get(number) ?? 0) + 1)
  }
  return seen
}

/** Full clears: erase display 2 or 3, a reset, or home followed by erase. */
const fullClear = /\x1b\[[23]J|\x1bc|\x1b\[(1;1)?H\x1b\[0?J/

describe('10,000 streamed lines', () => {
  for (const [columns, rows, form] of [
    [100, 30, 'code'],
    [40, 12, 'prose'],
  ] as const) {
    it(`${columns} × ${rows}, ${form}: none lost, none doubled, no full clear, few bytes`, async () => {
      const lines = numbered(
        10_000,
        columns === 100 ? 'the quick brown fox jumps over the lazy dog and runs away' : 'fox and dog run',
      )
      const text = form === 'code' ? `\`\`\`\n${lines.join('\n')}\n\`\`\`\nEND` : `${lines.join('\n')}\n\nEND`
      await open({ columns, rows, replies: [{ text }], environment: { CACHALOT_MAX_TOKENS: '1000000' } })
      const before = pty.output().length
      pty.type('go\r')
      await pty.until('✓ done', 60_000)
      const written = Buffer.byteLength(pty.output().slice(before))
      const seen = tally(pty.lines())
      expect(lines.filter((line) => seen.get(line.slice(0, 6)) !== 1)).toEqual([])
      expect(pty.output()).not.toMatch(fullClear)
      const shown = lines.reduce((sum, line) => sum + line.length + (form === 'code' ? 3 : 1), 0)
      expect(written / shown).toBeLessThanOrEqual(1.3)
      console.log(`${columns}×${rows}: ${(written / shown).toFixed(3)} bytes a byte shown`)
    }, 90_000)
  }
})

describe('while it streams', () => {
  const slow = (count: number): PtyOptions['replies'] => [
    { text: `${numbered(count, 'words and words').join('\n')}\n\nEND`, chunkMs: 1 },
  ]

  const count = (sequence: string): number => pty.output().split(sequence).length

  /** Streams the text and changes the size when a number is there, again until no size met bytes on their way. */
  const resized = async (text: string, sizes: readonly (readonly [string, number, number])[]): Promise<void> => {
    for (let left = 10; left > 0; left -= 1) {
      await open({ columns: 110, rows: 35, replies: [{ text, chunkMs: 3 }] })
      pty.type('go\r')
      for (const [number, columns, rows] of sizes) {
        await pty.until(() => pty.output().includes(number))
        await pty.resize(columns, rows)
        // Nothing is written until the size has stayed; then the program asks where the cursor is, and draws.
        const [frames, questions] = [count(frameEnd), count(cursorQuestion)]
        await pty.until(() => count(cursorQuestion) > questions && count(frameEnd) > frames)
      }
      await pty.until('✓ done', 60_000)
      await pty.rest()
      if (pty.collisions() === 0) return
      if (left > 1) pty.dispose()
    }
  }
  const times = (seen: ReadonlyMap<string, number>, count: number): [number, number][] =>
    [...Array(count).keys()].map((n) => [n, seen.get(`L${String(n).padStart(5, '0')}`) ?? 0])

  it('a resize breaks the live lines anew: none lost, none doubled, no debris', async () => {
    // Lines that nearly fill the width, in one paragraph: those that are live break anew with each size.
    await resized(`${numbered(700, 'and words '.repeat(8)).join('\n')}\n\nEND`, [
      ['L00100', 60, 20],
      ['L00200', 110, 35],
      ['L00300', 70, 24],
      ['L00400', 44, 30],
      ['L00500', 90, 12],
    ])
    const lines = pty.lines()
    expect(times(tally(lines), 700).filter(([, count]) => count !== 1)).toEqual([])
    expect(pty.output()).not.toMatch(fullClear)
    // What is live is there once: no old status line, no old prompt.
    expect(lines.filter((line) => line.includes('Esc interrupts'))).toEqual([])
    expect(lines.filter((line) => line.startsWith('ask ·')).length).toBe(1)
    expect(lines.filter((line) => line.startsWith('› ')).length).toBeLessThanOrEqual(2)
  }, 180_000)

  it('a much smaller screen pushes live rows of a paragraph into the scrollback: they are not given out again', async () => {
    const words = numbered(400, 'fox and dog run')
    const paragraphs = [0, 100, 200, 300].map((from) => words.slice(from, from + 100).join(' '))
    await resized(`${paragraphs.join('\n\n')}\n\nEND`, [
      ['L00060', 45, 14],
      ['L00130', 100, 30],
      ['L00200', 40, 12],
      ['L00270', 120, 40],
      ['L00320', 90, 12],
      ['L00360', 80, 24],
    ])
    // Where the terminal broke a row, a number may be in two rows.
    expect(times(tally([pty.lines().join('')]), 400).filter(([, count]) => count !== 1)).toEqual([])
    expect(pty.output()).not.toMatch(fullClear)
  }, 180_000)

  it('a key is on the screen while it streams; how soon, the bench tells (≤ 30 ms)', async () => {
    await open({ replies: slow(4000) })
    pty.type('go\r')
    await pty.until(() => pty.output().includes('L00100'))
    let typed = ''
    for (let n = 0; n < 40; n += 1) {
      const char = String.fromCharCode(97 + (n % 26))
      typed += char
      pty.type(char)
      await pty.until(`› ${typed}`)
    }
    expect(pty.screen().join('\n')).toContain('Esc interrupts')
    pty.type('\x1b')
    await pty.until('interrupted')
    expect(pty.screen().join('\n')).toContain(`› ${typed}`)
  })
})

/** Megabytes that the process holds for itself. */
const residentMb = (pid: number): number => {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) / 1024
}

describe('memory', () => {
  it('memory stays flat over many turns', async () => {
    const turns = 100
    const text = numbered(40, 'a line of an answer that is not so short').join('\n')
    await open({ replies: Array.from({ length: turns }, (_, n) => ({ text: `${text}\n\nEND${n}.` })) })
    const sizes: number[] = []
    for (let n = 0; n < turns; n += 1) {
      pty.type(`turn ${n}\r`)
      await pty.until(() => pty.output().includes(`END${n}.`))
      await pty.until(() => !pty.screen().some((line) => line.includes('Esc interrupts')))
      if (n % 20 === 19) sizes.push(residentMb(pty.pid))
    }
    console.log(`resident after each 20 turns: ${sizes.map((size) => size.toFixed(0)).join(', ')} MB`)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(250)
    expect((sizes.at(-1) as number) - (sizes[1] as number)).toBeLessThanOrEqual(50)
  }, 120_000)
})
