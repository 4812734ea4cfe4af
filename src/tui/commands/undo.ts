/** Taking back what a turn changed in files, by the records that the agent keeps. */
import { listTurns, redoTurns, undoTurns } from '../../../agent/index.ts'
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
  const chosen = way === 'undo' ? (await listTurns(place)).filter(({ number }) => number > 0).slice(0, wish.count) : []
  const outcome = way === 'undo' ? await undoTurns(place, wish) : await redoTurns(place, wish)
  const session = outcome.ok ? await desk.session() : undefined
  // The conversation goes back with the files where it holds these very turns; else the model is told.
  const own = chosen.length > 0 && chosen.every((turn) => turn.session === session?.id)
  const back = own && (await session?.takeBack(chosen.map(({ task }) => task))) === true
  if (back) {
    desk.ui.contextUsed = session?.contextTokens ?? desk.ui.contextUsed
    desk.ui.warm = Math.min(desk.ui.warm, desk.ui.contextUsed)
  }
  if (outcome.ok && !back) turns.note(`(I have ${outcome.text.charAt(0).toLowerCase()}${outcome.text.slice(1)})`)
  const also = back ? `; the conversation went back to before ${wish.count > 1 ? 'them' : 'it'}, too` : ''
  desk.say(`${outcome.text}${also}`, { role: outcome.ok ? 'ok' : 'warning' })
}

export const undo: Command = {
  name: 'undo',
  takes: '[N] [--force] [--list]',
  help: 'take back what the last turns changed in files',
  run: (rest, context) => move('undo', rest, context),
}

export const redo: Command = {
  name: 'redo',
  takes: '[N] [--force]',
  help: 'make it again',
  run: (rest, context) => move('redo', rest, context),
}
