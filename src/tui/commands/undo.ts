/** Taking turns back: what they changed in files, by the records that the agent keeps, and their words. */
import { listTurns, redoTurns, type Session, type UndoOutcome, undoTurns } from '../../../agent/index.ts'
import { turnLine } from '../../commands/undo.ts'
import type { Command, CommandContext } from './command.ts'

/** `/undo 2 --force`: words in any order. Undefined when something else stands there. */
export function readWish(rest: string): { readonly count: number; readonly force: boolean } | undefined {
  const words = rest.split(/\s+/).filter((word) => word !== '')
  const counts = words.filter((word) => /^[1-9]\d{0,3}$/.test(word))
  const force = words.includes('--force')
  if (counts.length > 1 || words.some((word) => word !== '--force' && !counts.includes(word))) return undefined
  return { count: Number(counts[0] ?? 1), force }
}

async function move(way: 'undo' | 'redo', rest: string, { desk, turns }: CommandContext): Promise<void> {
  const place = { root: desk.place.root, stateFolder: desk.place.folders.state }
  if (turns.running) return desk.say('A turn is going on: Esc stops it.', { role: 'warning' })
  if (way === 'undo' && rest === '--list') {
    const all = await listTurns(place)
    if (all.length === 0) return desk.say('There is nothing to undo.')
    for (const turn of all) desk.say(turnLine(turn))
    return
  }
  const wish = readWish(rest)
  if (wish === undefined) return desk.say(`/${way} [number of turns] [--force]`, { role: 'warning' })
  if (way === 'redo') return tell(await redoTurns(place, wish))
  // Files can be put back without a model, too.
  const session = await desk.session().catch(() => undefined)
  const ready = (await listTurns(place)).filter(({ number }) => number > 0).map(({ id }) => id)
  const { files, words } = chooseTurns(session?.turns ?? [], ready, wish.count)
  const outcome = files > 0 ? await undoTurns(place, { ...wish, count: files }) : undefined
  if (outcome?.ok === false) return tell(outcome)
  const back = words > 0 && (await session?.takeBack(words)) === true
  if (back) measure(session)
  if (outcome !== undefined) tell(outcome, back ? words : 0)
  else if (back) desk.say(wordsOnly(words, session !== undefined && session.turns.length > 0), { role: 'ok' })
  else desk.say('There is nothing to undo.')

  function tell(told: UndoOutcome, turnsBack = 0): void {
    if (told.ok && turnsBack === 0) turns.note(`(I have ${told.text.charAt(0).toLowerCase()}${told.text.slice(1)})`)
    const also = `; the conversation went back to before ${turnsBack > 1 ? 'them' : 'it'}, too`
    desk.say(`${told.text}${turnsBack > 0 ? also : ''}`, { role: told.ok ? 'ok' : 'warning' })
  }

  function measure(from: Session | undefined): void {
    desk.ui.contextUsed = from?.contextTokens ?? desk.ui.contextUsed
    desk.ui.warm = Math.min(desk.ui.warm, desk.ui.contextUsed)
  }
}

const wordsOnly = (count: number, more: boolean): string => {
  const what = count === 1 ? 'turn of the conversation; it' : `${count} turns of the conversation; they`
  return `Taken back the last ${what} changed no file.${more ? ' /undo again takes back the turn before.' : ''}`
}

/**
 * How many turns go back in the files, and how many in the conversation. `held`: those of this session, last first, each the
 * record of what it changed, if anything; `ready`: the records of this folder that are not taken back, last first. Where the last
 * turns of the conversation and the last records do not belong together (an earlier session's, another window's), only files go back.
 */
export function chooseTurns(
  held: readonly (string | undefined)[],
  ready: readonly string[],
  count: number,
): { readonly files: number; readonly words: number } {
  if (held.length < count) return { files: count, words: 0 }
  const own = held.slice(0, count).filter((id) => id !== undefined && ready.includes(id))
  return own.every((id, at) => id === ready[at]) ? { files: own.length, words: count } : { files: count, words: 0 }
}

export const undo: Command = {
  name: 'undo',
  takes: '[N] [--force] [--list]',
  help: 'take back the last turns: what they changed in files, and their words',
  run: (rest, context) => move('undo', rest, context),
}

export const redo: Command = {
  name: 'redo',
  takes: '[N] [--force]',
  help: 'make it again',
  run: (rest, context) => move('redo', rest, context),
}
