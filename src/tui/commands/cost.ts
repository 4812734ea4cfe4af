/** /cost: what this session has used since it was begun, and what this program has used in all its sessions. */
import { replaySession } from '../../../agent/index.ts'
import { count, duration, priceText } from '../../terminal/numbers.ts'
import { line } from '../text/style.ts'
import type { Command } from './command.ts'
import { columns } from './show.ts'
import { addTurn, newTotals, type Totals } from './totals.ts'

/** Of a log, from its end. */
const mostBytes = 64 << 20

export const cost: Command = {
  name: 'cost',
  help: 'tokens, time and price: of this session, and of all since cachalot was started',
  async run(_, { desk, totals }) {
    // A session that was not opened yet is not opened for this.
    const session = desk.ui.session === '' ? newTotals() : await sessionTotals((await desk.session()).info.logFile)
    const rows = costRows(session)
    desk.sayLines((width) => [
      line('This session', { bold: true }),
      ...columns(rows, width),
      line('Since cachalot was started', { bold: true }),
      ...columns(costRows(totals), width),
    ])
  },
}

/** By its log: also what it used before it was resumed, and what was undone. */
async function sessionTotals(file: string): Promise<Totals> {
  const totals = newTotals()
  for (const event of await replaySession(file, mostBytes)) if (event.type === 'result') addTurn(totals, event.usage)
  return totals
}

function costRows({ turns, usage }: Totals): readonly (readonly [string, string])[] {
  const { draftedTokens, acceptedTokens = 0, price } = usage
  return [
    ['turns', count(turns)],
    [
      'read',
      `${count(usage.evaluatedTokens)} tokens in ${duration(usage.prefillSeconds)}; ${count(usage.cachedTokens)} were warm`,
    ],
    ['written', `${count(usage.generatedTokens)} tokens in ${duration(usage.decodeSeconds)}`],
    ...(price === undefined ? [] : [['price', priceText(price)] as const]),
    ...(draftedTokens === undefined
      ? []
      : [['drafted', `${count(draftedTokens)} tokens, ${count(acceptedTokens)} of them held`] as const]),
  ]
}
