import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pressKey } from '../../src/tui/editor/bindings.ts'
import * as edit from '../../src/tui/editor/editor.ts'
import { layOut, verticalTarget } from '../../src/tui/editor/rows.ts'
import { key } from '../../src/tui/input/keys.ts'

const { emptyEditor } = edit
const typed = (text: string): edit.Editor => edit.insert(emptyEditor, text)
const press = (editor: edit.Editor, ...names: string[]): edit.Editor =>
  names.reduce((now, name) => {
    const parts = name.split('-')
    const last = parts.pop() as string
    const one = key(last, {
      ctrl: parts.includes('ctrl'),
      alt: parts.includes('alt'),
      shift: parts.includes('shift'),
    })
    return pressKey(now, one, 20) ?? now
  }, editor)

describe('editing', () => {
  it('moves and erases by what a person sees as one character', () => {
    const family = '👨‍👩‍👧'
    const text = `a${family}é\u0301世`
    let editor = typed(text)
    const stops = [editor.cursor]
    while (editor.cursor > 0) {
      editor = press(editor, 'left')
      stops.push(editor.cursor)
    }
    expect(stops.length).toBe(5)
    expect(press(typed(`a${family}`), 'backspace').text).toBe('a')
  })

  it('knows Emacs keys', () => {
    expect(press(typed('one two three'), 'alt-b', 'ctrl-k').text).toBe('one two ')
    expect(press(typed('one two'), 'ctrl-w', 'ctrl-y', 'ctrl-y').text).toBe('one twotwo')
    expect(press(typed('one two three'), 'ctrl-w', 'ctrl-w', 'ctrl-y').text).toBe('one two three')
    expect(press(typed('ab'), 'ctrl-t').text).toBe('ba')
    expect(press(typed('hello wORLD'), 'alt-b', 'alt-c').text).toBe('hello World')
    expect(press(typed('one\ntwo'), 'ctrl-a', 'ctrl-u').text).toBe('one\ntwo')
    expect(press(typed('one\ntwo'), 'up', 'ctrl-e', 'ctrl-k').text).toBe('onetwo')
    expect(press(typed('x'), 'ctrl-j').text).toBe('x\n')
  })

  it('undoes typing in one go and redoes it', () => {
    let editor = typed('a')
    editor = edit.insert(editor, 'b')
    editor = press(editor, 'ctrl-w')
    expect(editor.text).toBe('')
    expect(press(editor, 'ctrl-_').text).toBe('ab')
    expect(press(editor, 'ctrl-_', 'ctrl-_').text).toBe('')
    expect(press(editor, 'ctrl-_', 'alt-_').text).toBe('')
  })

  it('folds a long paste to one chip, which expands', () => {
    const long = Array.from({ length: 40 }, (_, n) => `line ${n}`).join('\r\n')
    const editor = edit.paste(typed('see '), long)
    expect([...editor.text].length).toBe(5)
    expect(edit.expanded(editor)).toBe(`see ${long.replaceAll('\r\n', '\n')}`)
    expect(edit.expandChip(editor).text).toBe(edit.expanded(editor))
    expect(press(editor, 'backspace').text).toBe('see ')
    expect(edit.expanded(press(editor, 'backspace', 'ctrl-_'))).toBe(edit.expanded(editor))
  })

  it('keeps typed text apart from a chip that looks the same', () => {
    const editor = edit.insertChip(emptyEditor, { content: 'CHIP', label: '[x]' })
    expect(edit.expanded(edit.insert(editor, '\u{f0000}'))).toBe('CHIP\u{f0000}')
  })
})

describe('rows', () => {
  it('breaks at the width, wide characters whole', () => {
    const layout = layOut(typed('世界世界世'), 5)
    expect(layout.rows.map((row) => row.pieces.map((piece) => piece.shown).join(''))).toEqual(['世界', '世界', '世'])
    expect([layout.cursorRow, layout.cursorColumn]).toEqual([2, 2])
  })

  it('puts the cursor behind a full row at the start of the next', () => {
    const layout = layOut(typed('abcde'), 5)
    expect([layout.cursorRow, layout.cursorColumn]).toEqual([1, 0])
  })

  it('shows control and bidi characters, one can see them', () => {
    const layout = layOut(typed('a\x1b[2J\u202eb'), 40)
    expect(layout.rows[0]?.pieces.map((piece) => piece.shown).join('')).toBe('a␛[2J<U+202E>b')
  })

  it('goes up and down over wrapped rows', () => {
    const editor = typed('abcdefgh')
    expect(verticalTarget(editor, 5, -1)).toBe(3)
    expect(verticalTarget({ ...editor, cursor: 2 }, 5, -1)).toBeUndefined()
    expect(verticalTarget({ ...editor, cursor: 2 }, 5, 1)).toBe(7)
  })

  it('holds its rules for any text and any width', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 60 })
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 30 }), fc.nat(60), (text, width, steps) => {
        let editor = typed(text)
        for (let n = 0; n < steps; n += 1) editor = edit.move(editor, 'left')
        const layout = layOut(editor, width)
        const row = layout.rows[layout.cursorRow]
        expect(row).toBeDefined()
        expect(layout.rows.at(-1)?.to).toBe(editor.text.length)
        expect(layout.rows.every((one) => one.from <= one.to)).toBe(true)
      }),
    )
  })
})
