/** /compact: the conversation as its own summary, in a new session. Says what it cost and what is left. */
import { listSessions } from '../../../agent/index.ts'
import { count } from '../../terminal/numbers.ts'
import type { Desk } from '../desk.ts'
import { readMeta, writeMeta } from '../sessions/meta.ts'
import type { Command } from './command.ts'
import { titleOf } from './sessions.ts'

const prompt =
  'Summarise this conversation for a colleague who goes on with the work and has not seen it: the task, what was decided and why, what was done in which files, what is still to do, and what to watch out for. Words only, no calls.'

export const compact: Command = {
  name: 'compact',
  help: 'go on in a new session that knows a summary of this one',
  async run(_, { desk, turns }) {
    if (turns.running) return desk.say('A turn is going on: Esc interrupts it, then /compact.', { role: 'warning' })
    if (desk.ui.contextUsed === 0) return desk.say('Nothing was said yet: there is nothing to summarise.')
    const before = desk.ui.contextUsed
    turns.submit(prompt, 'after')
    await turns.idle()
    const { last } = turns
    // Only what this very turn said is the summary, and only when it came to its end.
    if (last?.exit !== 'done' || last.text.trim() === '')
      return desk.say('There is no summary, so nothing was changed: this session goes on.', { role: 'warning' })
    const title = await titleInUse(desk)
    await desk.switchSession({})
    const { info } = await desk.session()
    await writeMeta(info.logFile, { ...(await readMeta(info.logFile)), title: `${title} (compacted)` })
    turns.note(`What happened before, as a summary:\n\n${last.text}`)
    desk.say(
      `The ${count(before)} tokens of the session before are now a summary of ${count(last.usage.generatedTokens)}, which goes before your next message. What it leaves out the model does not know any more; /resume leads back to it all.`,
      { role: 'muted' },
    )
  },
}

/** What the list of sessions calls this one; its own first words would be those of the summary. */
async function titleInUse({ place, session }: Desk): Promise<string> {
  const { info } = await session()
  const own = (await listSessions(place.folders.state, { cwd: place.root })).find(({ id }) => id === info.id)
  return titleOf(own?.firstInput ?? '', await readMeta(info.logFile)).replace(/ \(compacted\)$/, '')
}
