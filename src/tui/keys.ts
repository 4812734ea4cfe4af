/** Keys and text to what they mean now: the question first, then lists, then the editor. */
import { join } from 'node:path'
import { accept, type Completion, step, suggestNames, suggestPaths, tokenAt } from './complete/complete.ts'
import type { Desk } from './desk.ts'
import { pressKey } from './editor/bindings.ts'
import { clipboardPicture } from './editor/clipboard.ts'
import { type Editor, emptyEditor, expandChip, expanded, insert, paste, setText } from './editor/editor.ts'
import { newer, older, saveHistory } from './editor/history.ts'
import { pastePicture } from './editor/pictures.ts'
import { verticalTarget } from './editor/rows.ts'
import { insertMode, leaveInsert, typeNormal } from './editor/vim.ts'
import { type InputEvent, type Key, spell } from './input/keys.ts'
import { nextMode } from './modes.ts'
import { pressPicker, typePicker } from './picker.ts'
import { openHistorySearch } from './search.ts'
import type { Turns } from './turns.ts'
import type { Queued } from './ui.ts'

export interface KeyContext {
  readonly desk: Desk
  readonly turns: Turns
  readonly approvals: { key(key: Key): boolean; text(text: string): boolean }
  /** Cells that a row of the editor has. */
  readonly width: () => number
  /** What Enter does with a text: a command, a shell line, a message. */
  readonly submit: (text: string, when: Queued['when']) => void
  readonly commands: readonly {
    readonly name: string
    readonly help: string
    readonly choices?: () => readonly string[]
  }[]
  /** Interrupts whatever runs; false when nothing does. */
  readonly interrupt: () => boolean
  readonly editOutside: () => void
  readonly toggleReasoning: () => void
}

/** A second Ctrl-C within this time ends the program. */
const quitMs = 2000

export function openKeys(context: KeyContext): (event: InputEvent) => void {
  const { desk, turns, approvals, width } = context
  const { ui } = desk
  const search = openHistorySearch(desk)
  let quitUntil = 0
  let dismissed: string | undefined

  const setEditor = (editor: Editor): void => {
    if (editor.text !== ui.editor.text) ui.walk = undefined
    ui.editor = editor
    complete()
  }

  /** Opens, narrows or closes the completion for what stands at the cursor. */
  const complete = (): void => {
    const token = tokenAt(ui.editor)
    const suggestions = token === undefined ? [] : suggest(token)
    const typed = token === undefined ? '' : ui.editor.text.slice(token.from, token.to)
    if (token === undefined || dismissed === undefined || !typed.startsWith(dismissed)) dismissed = undefined
    const only = suggestions.length === 1 && suggestions[0]?.insert.trim() === typed
    ui.completion =
      token === undefined || suggestions.length === 0 || only || dismissed !== undefined
        ? undefined
        : { token, suggestions, at: 0, moved: false }
  }

  const suggest = (token: NonNullable<ReturnType<typeof tokenAt>>): Completion['suggestions'] => {
    if (token.kind === 'path') return suggestPaths(token.query, desk.files.paths())
    if (token.kind === 'command') return suggestNames(token.query, context.commands, '/')
    const choices = context.commands.find(({ name }) => name === token.command)?.choices?.() ?? []
    return suggestNames(
      token.query,
      choices.map((name) => ({ name, help: '' })),
      '',
    )
  }

  const submit = (when: Queued['when']): void => {
    const text = expanded(ui.editor)
    if (text.trim() === '') return
    desk.entries.push(text)
    saveHistory(desk.historyFile, text).catch((error: Error) => desk.hint(`history not kept: ${error.message}`))
    ui.editor = { ...emptyEditor, killed: ui.editor.killed }
    if (ui.vim !== undefined) ui.vim = insertMode
    ui.walk = undefined
    ui.completion = undefined
    context.submit(text, when)
  }

  const up = (): void => {
    if (verticalTarget(ui.editor, width(), -1) !== undefined && ui.walk === undefined) {
      edit('up')
      return
    }
    const queued = ui.editor.text === '' ? turns.takeBack() : undefined
    if (queued !== undefined) {
      setEditor(setText(ui.editor, queued))
      return
    }
    const found = older(desk.entries, ui.walk, expanded(ui.editor))
    if (found === undefined) return
    const [walk, text] = found
    // A draft with chips is kept whole by undo; the walk keeps its text.
    ui.editor = setText(ui.editor, text)
    ui.walk = walk
    ui.completion = undefined
  }

  const down = (): void => {
    const found = newer(desk.entries, ui.walk)
    if (found === undefined) {
      edit('down')
      return
    }
    ui.editor = setText(ui.editor, found[1])
    ui.walk = found[0]
  }

  const edit = (name: string): void => {
    setEditor(pressKey(ui.editor, { name, ctrl: false, alt: false, shift: false }, width()) ?? ui.editor)
  }

  const ctrlC = (): void => {
    const now = Date.now()
    if (now < quitUntil) {
      desk.quit(turns.running ? 130 : 0)
      return
    }
    quitUntil = now + quitMs
    const text = expanded(ui.editor)
    let done = ''
    if (context.interrupt()) done = 'interrupted; '
    else if (text.trim() !== '') {
      desk.entries.push(text)
      setEditor({ ...emptyEditor, killed: ui.editor.killed })
      done = 'cleared (Up brings it back); '
    }
    desk.hint(`${done}Ctrl-C again quits`, quitMs)
  }

  const back = (): void => {
    if (ui.completion !== undefined) {
      dismissed = ui.editor.text.slice(ui.completion.token.from, ui.completion.token.to)
      ui.completion = undefined
    } else if (!toNormal()) context.interrupt()
  }

  const pasteClipboard = async (): Promise<void> => {
    const { folders, environment } = desk.place
    const found = await clipboardPicture(join(folders.state, 'clipboard'), environment)
    if ('problem' in found) return desk.hint(found.problem)
    setEditor(pastePicture(ui.editor, found.file) ?? ui.editor)
    desk.draw()
  }

  /** With vim keys, Escape leaves insert mode first. */
  const toNormal = (): boolean => {
    const next = ui.vim === undefined ? undefined : leaveInsert({ vim: ui.vim, editor: ui.editor })
    if (next === undefined) return false
    ui.vim = next.vim
    ui.editor = next.editor
    return true
  }

  const withCompletion = (completion: Completion, name: string): boolean => {
    const chosen = completion.suggestions[completion.at]
    if (name === 'up' || name === 'ctrl-p') ui.completion = step(completion, -1)
    else if (name === 'down' || name === 'ctrl-n') ui.completion = step(completion, 1)
    else if (chosen !== undefined && (name === 'tab' || name === 'return')) {
      const { token } = completion
      const typed = ui.editor.text.slice(token.from, token.to)
      // A name that was not begun so is a guess: Enter runs it only when it was gone to, else the nearest is named.
      const guessed = !completion.moved && !chosen.insert.startsWith(typed.toLowerCase())
      if (name === 'return' && token.kind === 'command' && guessed) return false
      const whole = name === 'return' && (token.kind === 'command' || chosen.insert.trim() === typed)
      setEditor(accept(ui.editor, token, chosen))
      if (whole) submit('boundary')
    } else return false
    return true
  }

  const actions: Readonly<Record<string, () => void>> = {
    return: () => submit('boundary'),
    'alt-return': () => submit('after'),
    up,
    down,
    'ctrl-c': ctrlC,
    escape: back,
    'shift-tab': () => {
      ui.mode = nextMode(ui.mode)
    },
    'ctrl-r': search.begin,
    'ctrl-v': () => void pasteClipboard(),
    'ctrl-g': context.editOutside,
    'ctrl-o': context.toggleReasoning,
    'ctrl-x': () => setEditor(expandChip(ui.editor)),
    tab: () => undefined,
  }

  const onKey = (key: Key): void => {
    const name = spell(key)
    const [approval] = ui.approvals
    if (approvals.key(key)) return
    if (approval?.reason !== undefined) {
      approval.reason = pressKey(approval.reason, key, width()) ?? approval.reason
      if (name === 'ctrl-c') ctrlC()
      return
    }
    if (ui.picker !== undefined && pressPicker(ui.picker, key)) return
    if (search.key(name)) return
    if (ui.completion !== undefined && withCompletion(ui.completion, name)) return
    if (name === 'ctrl-d' && ui.editor.text === '') {
      if (!turns.running) desk.quit(0)
      return
    }
    const action = actions[name]
    const next = action === undefined ? pressKey(ui.editor, key, width()) : undefined
    action?.()
    if (next !== undefined) setEditor(next)
  }

  const onText = (text: string, pasted: boolean): void => {
    const [approval] = ui.approvals
    if (approval?.reason !== undefined) approval.reason = insert(approval.reason, text)
    else if (pasted || !approvals.text(text)) type(text, pasted)
  }

  const type = (text: string, pasted: boolean): void => {
    if (ui.picker !== undefined) typePicker(ui.picker, text)
    else if (ui.search !== undefined) search.type(text)
    else if (pasted) setEditor(pastePicture(ui.editor, text) ?? paste(ui.editor, text))
    else if (ui.vim?.mode === 'normal') {
      const next = typeNormal({ vim: ui.vim, editor: ui.editor }, text, width())
      ui.vim = next.vim
      setEditor(next.editor)
    } else setEditor(insert(ui.editor, text))
  }

  return (event) => {
    if (event.type === 'key') onKey(event.key)
    else if (event.type === 'text') onText(event.text, false)
    else if (event.type === 'paste') onText(event.text, true)
    else if (event.type === 'focus') ui.focused = event.focused
  }
}
