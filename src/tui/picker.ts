/** Choosing from a list by typing and arrows. */
import fuzzysort from 'fuzzysort'
import { type Key, spell } from './input/keys.ts'
import type { Choice, Picker } from './ui.ts'

/** The choices that fit what was typed, with their places in the whole list. */
export function picked({ choices, query }: Pick<Picker, 'choices' | 'query'>): { choice: Choice; index: number }[] {
  const all = choices.map((choice, index) => ({ choice, index, text: `${choice.label} ${choice.detail}` }))
  if (query.trim() === '') return all
  return fuzzysort.go(query.trim(), all, { key: 'text', threshold: 0.2 }).map(({ obj }) => obj)
}

/** A key of the list. True when it was one. The list is closed by its owner, in `pick` and `cancel`. */
export function pressPicker(picker: Picker, key: Key): boolean {
  const found = picked(picker)
  const move = (to: number): true => {
    picker.at = Math.max(0, Math.min(found.length - 1, to))
    return true
  }
  switch (spell(key)) {
    case 'up':
    case 'ctrl-p':
      return move(picker.at - 1)
    case 'down':
    case 'ctrl-n':
    case 'tab':
      return move(picker.at + 1)
    case 'pageup':
      return move(picker.at - 8)
    case 'pagedown':
      return move(picker.at + 8)
    case 'backspace':
      picker.query = [...picker.query].slice(0, -1).join('')
      return move(0)
    case 'ctrl-u':
      picker.query = ''
      return move(0)
    case 'return': {
      const chosen = found[picker.at]
      if (chosen !== undefined) picker.pick(chosen.index)
      return true
    }
    case 'escape':
    case 'ctrl-c':
      picker.cancel()
      return true
    default:
      return false
  }
}

/** Text typed while the list is open. A single digit chooses, where the list is short and nothing was typed. */
export function typePicker(picker: Picker, text: string): void {
  const digit = /^[1-9]$/.test(text) && picker.query === '' && picker.choices.length <= 9 ? Number(text) : undefined
  if (digit !== undefined && digit <= picker.choices.length) {
    picker.pick(digit - 1)
    return
  }
  picker.query += text.replace(/[\x00-\x1f\x7f]/g, ' ')
  picker.at = 0
}
