/** The tokens of segments that a session begins with. */
import type { Dialect } from '../dialect.ts'
import type { Engine } from '../engine.ts'
import type { Segment } from '../messages.ts'
import { type TokenLedger, tokenLedger } from './ledger.ts'
import type { CallIds } from './reply.ts'

/** `ends`: lengths at which the segments end, ascending, but the conversation's; readings are kept there. */
export async function prefixLedger(
  engine: Engine,
  dialect: Dialect,
  prefix: readonly Segment[],
  ids: CallIds,
): Promise<{ readonly ledger: TokenLedger; readonly ends: readonly number[] }> {
  const ledger = tokenLedger(engine, dialect)
  const ends: number[] = []
  for (const { name, messages } of prefix) {
    for (const message of messages) await ledger.append(message)
    ids.seen(messages)
    // The first words of the system alone are few; what follows them is what takes long.
    if (name !== 'conversation' && ledger.tokens.length > 0) ends.push(ledger.tokens.length)
  }
  return { ledger, ends }
}
