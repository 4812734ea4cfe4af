/** /compact: the conversation as its own summary, in a new session. Says what it cost and what is left. */
import { count } from '../../terminal/numbers.ts'
import type { Command } from './command.ts'

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
    await desk.switchSession({})
    turns.note(`What happened before, as a summary:\n\n${last.text}`)
    desk.say(
      `The ${count(before)} tokens of the session before are now a summary of ${count(last.usage.generatedTokens)}, which goes before your next message. What it leaves out the model does not know any more; /resume leads back to it all.`,
      { role: 'muted' },
    )
  },
}
