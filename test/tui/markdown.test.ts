import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lineWidth, plainText } from '../../src/tui/text/style.ts'
import { painter, themeNamed, themes } from '../../src/tui/text/themes.ts'
import { graphemes } from '../../src/tui/text/width.ts'
import { cut, wrap } from '../../src/tui/text/wrap.ts'
import { openHighlight } from '../../src/tui/transcript/highlight.ts'
import { markdown } from '../../src/tui/transcript/markdown.ts'
import { openMarkdownStream } from '../../src/tui/transcript/stream.ts'

const shown = (source: string, width = 60): string[] => markdown(source, { width }).map(plainText)

describe('wrapping', () => {
  it('breaks between words, and inside what is too long', () => {
    const rows = (text: string, width: number): string[] =>
      wrap([{ text, style: {} }], width).map((row) => plainText(row).trimEnd())
    expect(rows('one two three', 8)).toEqual(['one two', 'three'])
    expect(rows('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij'])
    expect(rows('世界世界', 5)).toEqual(['世界', '世界'])
  })

  it('never gives a row that is too wide, and loses nothing but spaces', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.integer({ min: 2, max: 30 }), (text, width) => {
        const clean = text.replace(/\s/g, ' ')
        const rows = wrap([{ text: clean, style: {} }], width)
        // One character may be wider than the whole row (a musical note takes three cells): it stands alone then.
        for (const row of rows)
          if (graphemes(plainText(row)).length > 1) expect(lineWidth(row)).toBeLessThanOrEqual(width)
        expect(rows.map(plainText).join('').replaceAll(' ', '')).toBe(clean.replaceAll(' ', ''))
        expect(lineWidth(cut([{ text: clean, style: {} }], width))).toBeLessThanOrEqual(width)
      }),
    )
  })
})

describe('markdown', () => {
  it('lays out headings, lists, quotes, rules and links', () => {
    expect(
      shown(
        '# Title\n\ntext **bold** `code` [docs](https://a.b)\nnext\n\n- one\n  - deep\n- [x] done\n\n3. c\n4. d\n\n> said\n\n---',
      ),
    ).toEqual([
      'Title',
      '',
      'text bold code docs (https://a.b)',
      'next',
      '',
      '• one',
      '  • deep',
      '• [x] done',
      '',
      '3. c',
      '4. d',
      '',
      '│ said',
      '',
      '─'.repeat(40),
    ])
  })

  it('fits tables to the width, and lists their rows where that cannot be read', () => {
    const source = '| name | what it does |\n|---|--:|\n| a | 1 |\n| b | some longer words here |'
    expect(shown(source, 40)).toEqual([
      'name │           what it does',
      '─────┼───────────────────────',
      'a    │                      1',
      'b    │ some longer words here',
    ])
    for (const row of shown(source, 24)) expect(row.length).toBeLessThanOrEqual(24)
    expect(shown(source, 14)[0]).toBe('name: a')
  })

  it('highlights code by its language and keeps its text', () => {
    const highlight = openHighlight()
    const lines = markdown('```ts\nconst a = 1\n\n// no\n```', { width: 40, highlight })
    expect(lines.map(plainText)).toEqual(['  const a = 1', '  ', '  // no'])
    expect(lines[0]?.some(({ style }) => style.role === 'keyword')).toBe(true)
  })

  it('shows escape sequences, never sends them', () => {
    const hostile = 'a\x1b[2Jb \x9b31m `\x1b]0;x\x07` \u202ec\n\n```\n\x1b[31mred\n```\n\n| \x1bP |\n|---|\n| \x1b_ |'
    const paint = painter(themes[0]!, 'none')
    const text = markdown(hostile, { width: 60, highlight: openHighlight() })
      .map((line) => paint(line.map(({ text }) => ({ text, style: {} }))))
      .join('\n')
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/)
    expect(text).toContain('a␛[2Jb')
  })
})

describe('painting', () => {
  it('writes colours by what the terminal can, and resets at the end of each line', () => {
    const line = [{ text: 'x', style: { role: 'error', bold: true } as const }]
    expect(painter(themeNamed('dark')!, '16')(line)).toBe('\x1b[1;31mx\x1b[0m')
    expect(painter(themeNamed('dark')!, 'none')(line)).toBe('\x1b[1mx\x1b[0m')
    expect(painter(themeNamed('light')!, 'true')(line)).toBe('\x1b[1;38;2;180;35;24mx\x1b[0m')
    expect(painter(themeNamed('dark')!, '16')([{ text: 'plain', style: {} }])).toBe('plain')
  })
})

const document = `# One

Some *text* here that is long enough to be broken at forty cells or so.
And a second line.

- item one
- item two
  with more

1. first
2. second

\`\`\`js
const a = [1, 2,

  3]
\`\`\`

After.

| a | b |
|---|---|
| 1 | 2 |

~~~
tilde \`\`\`
~~~
> quote
`

describe('streaming', () => {
  const whole = shown(document, 40)
  it('gives the same lines in any cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 60 }), (sizes) => {
        const stream = openMarkdownStream()
        const lines: string[] = []
        let at = 0
        for (let n = 0; at < document.length; n += 1) {
          const size = sizes[n % sizes.length] as number
          stream.push(document.slice(at, at + size))
          at += size
          lines.push(...stream.take({ width: 40 }, 100).map(plainText))
          stream.tail({ width: 40 }, 5)
        }
        lines.push(...stream.end({ width: 40 }).map(plainText))
        expect(lines).toEqual(whole)
      }),
      { numRuns: 60 },
    )
  }, 120_000)

  it('gives out a long block in parts, with a tail smaller than the screen', () => {
    const stream = openMarkdownStream()
    const lines: string[] = []
    for (let n = 0; n < 1000; n += 1) {
      stream.push(`line ${n}\n`)
      if (n % 7 === 0) lines.push(...stream.take({ width: 40 }, 10).map(plainText))
      expect(stream.tail({ width: 40 }, 10).length).toBeLessThanOrEqual(10)
    }
    expect(lines.length).toBeGreaterThan(900)
    lines.push(...stream.end({ width: 40 }).map(plainText))
    expect(lines).toEqual(Array.from({ length: 1000 }, (_, n) => `line ${n}`))
  })

  it('gives the same lines where a block is longer than the room for it', () => {
    const long = `${'Some *marked* words with `code` and a [link](http://a.b/c) go on. '.repeat(20)}\n\n- ${'an item of many words '.repeat(20)}\n- short\n\n${'> and a quote. '.repeat(12)}\n\nEnd.\n`
    const all = shown(long, 40)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 25 }), (room, size) => {
        const stream = openMarkdownStream()
        const lines: string[] = []
        for (let at = 0; at < long.length; at += size) {
          stream.push(long.slice(at, at + size))
          lines.push(...stream.take({ width: 40 }, room).map(plainText))
        }
        // What is not given out yet is near its end.
        expect(all.length - lines.length).toBeLessThan(30)
        lines.push(...stream.end({ width: 40 }).map(plainText))
        expect(lines.map((one) => one.trimEnd())).toEqual(all.map((one) => one.trimEnd()))
      }),
      { numRuns: 60 },
    )
  }, 120_000)

  it('goes on behind what a smaller terminal pushed into its scrollback', () => {
    const words = Array.from({ length: 60 }, (_, n) => `word${n}`)
    const stream = openMarkdownStream()
    stream.push(words.join(' '))
    const lines = stream.take({ width: 60 }, 3).map(plainText)
    const [first = '', ...more] = stream.tail({ width: 60 }, 3).map(plainText)
    expect(more.length).toBe(2)
    stream.pushedOut(first.slice(0, 20))
    lines.push(first.slice(0, 20), ...stream.end({ width: 20 }).map(plainText))
    expect(lines.join(' ').replace(/\s/g, '')).toBe(words.join(''))
  })

  it('gives out long code and long lists in parts, with nothing lost', () => {
    const highlight = openHighlight()
    for (const [head, line, mark] of [
      ['```ts\n', (n: number) => `const x${n} = ${n}`, '  '],
      ['', (n: number) => `- item ${n}`, ''],
    ] as const) {
      const stream = openMarkdownStream()
      const lines: string[] = []
      stream.push(head)
      for (let n = 0; n < 500; n += 1) {
        stream.push(`${line(n)}\n`)
        lines.push(...stream.take({ width: 40, highlight }, 10).map(plainText))
      }
      lines.push(...stream.end({ width: 40 }).map(plainText))
      expect(lines).toEqual(Array.from({ length: 500 }, (_, n) => `${mark}${line(n)}`.replace(/^- /, '• ')))
    }
  })

  it('stands apart from what follows a part', () => {
    const stream = openMarkdownStream()
    stream.push(Array.from({ length: 30 }, (_, n) => `l${n}\n`).join(''))
    const lines = stream.take({ width: 40 }, 10).map(plainText)
    stream.push('\nnext')
    lines.push(...stream.end({ width: 40 }).map(plainText))
    expect(lines.slice(-3)).toEqual(['l29', '', 'next'])
  })
})
