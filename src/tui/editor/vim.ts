/** Optional vim keys: a normal mode over the same editor. The part that one uses in a message box, not all of vim. */
import * as edit from './editor.ts'
import { verticalTarget } from './rows.ts'

export interface Vim {
  readonly mode: 'insert' | 'normal'
  /** An operator or prefix that waits for its motion: `d`, `c`, `g`. */
  readonly pending: string
}

export interface VimState {
  readonly vim: Vim
  readonly editor: edit.Editor
}

export const insertMode: Vim = { mode: 'insert', pending: '' }
const normalMode: Vim = { mode: 'normal', pending: '' }

/** Escape: from insert to normal, the cursor on the last character typed; undefined when it was normal already. */
export function leaveInsert({ vim, editor }: VimState): VimState | undefined {
  if (vim.mode === 'normal') return vim.pending === '' ? undefined : { vim: normalMode, editor }
  const atStart = editor.cursor === 0 || editor.text[editor.cursor - 1] === '\n'
  return { vim: normalMode, editor: atStart ? editor : edit.move(editor, 'left') }
}

const motions: Readonly<Record<string, edit.Motion>> = {
  h: 'left',
  l: 'right',
  ' ': 'right',
  w: 'next-word',
  e: 'word-right',
  b: 'word-left',
  '0': 'line-start',
  '^': 'line-start',
  $: 'line-end',
  G: 'text-end',
}

/** Characters typed in normal mode, one by one. Unknown ones do nothing. */
export function typeNormal(state: VimState, text: string, width: number): VimState {
  let now = state
  for (const [at, char] of Array.from(text).entries()) {
    now = normal(now, char, width)
    const rest = Array.from(text)
      .slice(at + 1)
      .join('')
    // A burst such as `ihello`: what follows the way into insert mode is text.
    if (now.vim.mode === 'insert') return { ...now, editor: rest === '' ? now.editor : edit.insert(now.editor, rest) }
  }
  return now
}

function normal({ vim, editor }: VimState, char: string, width: number): VimState {
  const stay = (next: edit.Editor): VimState => ({ vim: normalMode, editor: next })
  const into = (next: edit.Editor): VimState => ({ vim: insertMode, editor: next })
  const wait = (pending: string): VimState => ({ vim: { mode: 'normal', pending }, editor })
  if (vim.pending === 'g') return stay(char === 'g' ? edit.move(editor, 'text-start') : editor)
  if (vim.pending === 'd' || vim.pending === 'c') {
    const finish = vim.pending === 'd' ? stay : into
    if (char === vim.pending) return finish(wholeLine(editor, vim.pending === 'd'))
    // As in vim, `cw` leaves the space behind the word.
    const motion = vim.pending === 'c' && char === 'w' ? 'word-right' : motions[char]
    return motion === undefined ? stay(editor) : finish(edit.kill(editor, motion))
  }
  const motion = motions[char]
  if (motion !== undefined) return stay(edit.move(editor, motion))
  switch (char) {
    case 'd':
    case 'c':
    case 'g':
      return wait(char)
    case 'j':
    case 'k': {
      const cursor = verticalTarget(editor, width, char === 'j' ? 1 : -1)
      return stay(cursor === undefined ? editor : { ...editor, cursor })
    }
    case 'i':
      return into(editor)
    case 'a':
      return into(editor.text[editor.cursor] === '\n' ? editor : edit.move(editor, 'right'))
    case 'I':
      return into(edit.move(editor, 'line-start'))
    case 'A':
      return into(edit.move(editor, 'line-end'))
    case 'o':
      return into(edit.insert(edit.move(editor, 'line-end'), '\n'))
    case 'O':
      return into(edit.move(edit.insert(edit.move(editor, 'line-start'), '\n'), 'left'))
    case 'x':
      return stay(edit.kill(editor, 'right'))
    case 'X':
      return stay(edit.kill(editor, 'left'))
    case 'D':
      return stay(edit.kill(editor, 'line-end'))
    case 'C':
      return into(edit.kill(editor, 'line-end'))
    case 'S':
      return into(wholeLine(editor, false))
    case 'p':
      return stay(edit.yank(editor))
    case 'u':
      return stay(edit.undo(editor))
    default:
      return stay(editor)
  }
}

/** Removes the line of the cursor; with its line break for `dd`. */
function wholeLine(editor: edit.Editor, withBreak: boolean): edit.Editor {
  const emptied = edit.kill(edit.move(editor, 'line-start'), 'line-end')
  if (!withBreak) return emptied
  return emptied.cursor < emptied.text.length ? edit.erase(emptied, 'right') : edit.erase(emptied, 'left')
}
