/** Ctrl-R: earlier messages by what they hold. */
import type { Desk } from './desk.ts'
import { setText } from './editor/editor.ts'
import { searchBack } from './editor/history.ts'

export interface HistorySearch {
  begin(): void
  /** Text typed while it is open. */
  type(text: string): void
  /** A key while it is open; false when it is closed, or the key goes on to the editor. */
  key(name: string): boolean
}

export function openHistorySearch({ ui, entries }: Pick<Desk, 'ui' | 'entries'>): HistorySearch {
  const find = (query: string, before: number): void => {
    if (ui.search === undefined) return
    const at = searchBack(entries, query, before) ?? (query === ui.search.query ? ui.search.at : undefined)
    ui.search = { ...ui.search, query, at }
    ui.editor = at === undefined ? ui.search.before : setText(ui.search.before, entries[at] as string)
  }

  return {
    begin() {
      ui.search = { query: '', at: undefined, before: ui.editor }
      ui.completion = undefined
    },
    type(text) {
      if (ui.search !== undefined) find(ui.search.query + text, entries.length)
    },
    key(name) {
      const { search } = ui
      if (search === undefined) return false
      if (name === 'ctrl-r') find(search.query, search.at ?? entries.length)
      else if (name === 'backspace') find([...search.query].slice(0, -1).join(''), entries.length)
      else if (name === 'escape' || name === 'ctrl-g' || name === 'ctrl-c') {
        ui.editor = search.before
        ui.search = undefined
      } else {
        ui.search = undefined
        return name === 'return' || name === 'tab'
      }
      return true
    },
  }
}
