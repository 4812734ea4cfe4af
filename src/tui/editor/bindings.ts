/** Emacs keys of the editor: what each does to the text. Keys that mean something to the session are not here. */
import { type Key, spell } from '../input/keys.ts'
import * as edit from './editor.ts'
import { verticalTarget } from './rows.ts'

type Step = (editor: edit.Editor, width: number) => edit.Editor

const vertical =
  (by: -1 | 1): Step =>
  (editor, width) => {
    const cursor = verticalTarget(editor, width, by)
    return cursor === undefined ? editor : { ...editor, cursor, last: 'other' }
  }

const moving = (motion: edit.Motion): Step => {
  return (editor) => edit.move(editor, motion)
}
const killing = (motion: edit.Motion): Step => {
  return (editor) => edit.kill(editor, motion)
}
const erasing = (motion: edit.Motion): Step => {
  return (editor) => edit.erase(editor, motion)
}
const newline: Step = (editor) => edit.insert(editor, '\n')

const steps: Readonly<Record<string, Step>> = {
  left: moving('left'),
  'ctrl-b': moving('left'),
  right: moving('right'),
  'ctrl-f': moving('right'),
  'alt-b': moving('word-left'),
  'alt-left': moving('word-left'),
  'ctrl-left': moving('word-left'),
  'alt-f': moving('word-right'),
  'alt-right': moving('word-right'),
  'ctrl-right': moving('word-right'),
  home: moving('line-start'),
  'ctrl-a': moving('line-start'),
  end: moving('line-end'),
  'ctrl-e': moving('line-end'),
  'ctrl-home': moving('text-start'),
  'alt-shift-<': moving('text-start'),
  'alt-<': moving('text-start'),
  'ctrl-end': moving('text-end'),
  'alt->': moving('text-end'),
  up: vertical(-1),
  'ctrl-p': vertical(-1),
  down: vertical(1),
  'ctrl-n': vertical(1),
  backspace: erasing('left'),
  'shift-backspace': erasing('left'),
  delete: erasing('right'),
  'ctrl-d': erasing('right'),
  'ctrl-w': killing('word-left'),
  'alt-backspace': killing('word-left'),
  'ctrl-backspace': killing('word-left'),
  'alt-d': killing('word-right'),
  'alt-delete': killing('word-right'),
  'ctrl-delete': killing('word-right'),
  'ctrl-k': killing('line-end'),
  'ctrl-u': killing('line-start'),
  'ctrl-y': edit.yank,
  'ctrl-t': edit.transpose,
  'alt-u': (editor) => edit.recase(editor, 'upper'),
  'alt-l': (editor) => edit.recase(editor, 'lower'),
  'alt-c': (editor) => edit.recase(editor, 'capital'),
  'ctrl-_': edit.undo,
  'ctrl-z': edit.undo,
  'alt-_': edit.redo,
  'alt-z': edit.redo,
  'ctrl-j': newline,
  'shift-return': newline,
  'ctrl-return': newline,
}

/** The editor after the key, or undefined when the key is not an editing key. `width` is that of the text's rows, in cells. */
export function pressKey(editor: edit.Editor, key: Key, width: number): edit.Editor | undefined {
  return steps[spell(key)]?.(editor, width)
}
