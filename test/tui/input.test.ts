import { describe, expect, it } from 'vitest'
import { pressKey } from '../../src/tui/editor/bindings.ts'
import * as edit from '../../src/tui/editor/editor.ts'
import { openDecoder } from '../../src/tui/input/decoder.ts'
import { type InputEvent, spell } from '../../src/tui/input/keys.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const read = (text: string): InputEvent[] => {
  const decoder = openDecoder()
  return [...decoder.push(bytes(text)), ...decoder.flush()]
}
const keys = (text: string): string[] =>
  read(text).map((event) => (event.type === 'key' ? spell(event.key) : `${event.type}:${JSON.stringify(event)}`))

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('decoding', () => {
  it('names keys in every spelling', () => {
    expect(keys('\x1b[A\x1bOA\x1b[1;5C\x1b[3;2~\x1b[Z\x7f\r\t\x03\x1bb')).toEqual([
      'up',
      'up',
      'ctrl-right',
      'shift-delete',
      'shift-tab',
      'backspace',
      'return',
      'tab',
      'ctrl-c',
      'alt-b',
    ])
    expect(keys('\x1b[13;2u\x1b[99;5u\x1b[27;5;13~\x1b\x1b[D\x1b\r')).toEqual([
      'shift-return',
      'ctrl-c',
      'ctrl-return',
      'alt-left',
      'alt-return',
    ])
    expect(keys('\x1b')).toEqual(['escape'])
    expect(keys('\x1b\x1b')).toEqual(['escape', 'escape'])
    expect(keys('\x1b[97;1:3u')).toEqual([])
  })

  it('splits a burst at its returns', () => {
    expect(read('abc\rdef')).toEqual([
      { type: 'text', text: 'abc' },
      { type: 'key', key: { name: 'return', ctrl: false, alt: false, shift: false } },
      { type: 'text', text: 'def' },
    ])
  })

  it('reads focus and answers of the terminal', () => {
    expect(read('\x1b[I\x1b[O\x1b]11;rgb:0000/1111/2222\x1b\\')).toEqual([
      { type: 'focus', focused: true },
      { type: 'focus', focused: false },
      { type: 'reply', text: '11;rgb:0000/1111/2222' },
    ])
  })

  it('gives a paste whole, and what there is when its end is missing', () => {
    expect(read('\x1b[200~a\x1b[A\rb\x1b[201~c')).toEqual([
      { type: 'paste', text: 'a\x1b[A\rb', complete: true },
      { type: 'text', text: 'c' },
    ])
    expect(read('\x1b[200~half')).toEqual([{ type: 'paste', text: 'half', complete: false }])
    expect(read('\x1b[200~half\x1b[20')).toEqual([{ type: 'paste', text: 'half\x1b[20', complete: false }])
  })

  it('reads the same in every cut', () => {
    const all = bytes('hé世👍\x1b[1;5C\x1b[200~x\ny\x1b[201~z\x1b]11;rgb:1/2/3\x07\x1bOAq')
    const whole = openDecoder()
    const expected = whole.push(all)
    for (let cut = 0; cut <= all.length; cut += 1) {
      const decoder = openDecoder()
      const events = [...decoder.push(all.slice(0, cut)), ...decoder.push(all.slice(cut))]
      expect(textOf(events)).toBe(textOf(expected))
      expect(events.filter((event) => event.type !== 'text')).toEqual(expected.filter((event) => event.type !== 'text'))
    }
  })
})

const textOf = (events: readonly InputEvent[]): string =>
  events.map((event) => (event.type === 'text' || event.type === 'paste' ? event.text : '')).join('')

const fragments = [
  '\x1b[A',
  '\x1b[1;5D',
  '\x1b[',
  '\x1b[20',
  '\x1b[200~',
  '\x1b[201~',
  '\x1b]11;rgb',
  '\x1b',
  '\x1bO',
  '\x1b[13;2u',
  '\x1b[99999999999;5u',
  '\x1b[;;;u',
  '\x1bP',
  '\x17',
  '\x0b',
  '\x19',
  '\x1f',
  '\x14',
  '\r',
  '\n',
  '\x7f',
  '\t',
]
const letters = [
  'a',
  'word ',
  'é',
  '世界',
  '👨‍👩‍👧',
  '👍🏽',
  'e\u0301',
  'שלום',
  '\u202e',
  '\u{f0000}',
  '\ufeff',
  'x'.repeat(200),
]

describe('100,000 bursts', () => {
  it('of noise: no crash, the editor stays whole', () => {
    const pick = random(7)
    let decoder = openDecoder()
    let editor = edit.emptyEditor
    for (let burst = 0; burst < 100_000; burst += 1) {
      const kind = pick(10)
      let data: Uint8Array
      if (kind < 5) data = bytes(fragments[pick(fragments.length)] as string)
      else if (kind < 8) data = bytes(letters[pick(letters.length)] as string)
      else data = Uint8Array.from({ length: 1 + pick(6) }, () => pick(256))
      if (pick(3) === 0) data = data.slice(0, 1 + pick(data.length))
      const events = decoder.push(data)
      if (pick(4) === 0) events.push(...decoder.flush())
      for (const event of events) {
        if (event.type === 'text') editor = edit.insert(editor, event.text)
        else if (event.type === 'paste') editor = edit.paste(editor, event.text)
        else if (event.type === 'key') editor = pressKey(editor, event.key, 40) ?? editor
      }
      if (editor.cursor < 0 || editor.cursor > editor.text.length) throw new Error(`cursor lost at burst ${burst}`)
      if (editor.text.length > 800) {
        edit.expanded(editor)
        editor = edit.emptyEditor
        decoder = openDecoder()
      }
    }
  }, 180_000)

  it('of text, in any cut, with pastes whose end is missing: nothing is lost', () => {
    const pick = random(11)
    for (let round = 0; round < 10_000; round += 1) {
      const decoder = openDecoder()
      let sent = ''
      let got = ''
      for (let burst = 0; burst < 10; burst += 1) {
        const text = letters[pick(letters.length - 1)] as string
        const shape = pick(3)
        const data = bytes(shape === 0 ? `\x1b[200~${text}\x1b[201~` : shape === 1 ? `\x1b[200~${text}` : text)
        const cut = pick(data.length)
        got += textOf(decoder.push(data.slice(0, cut))) + textOf(decoder.push(data.slice(cut)))
        if (shape === 1) got += textOf(decoder.flush())
        sent += text
      }
      expect(got + textOf(decoder.flush())).toBe(sent)
    }
  })
})
