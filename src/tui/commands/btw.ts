/** /btw: a question aside, answered in a copy of the conversation that is thrown away. */
import type { Command } from './command.ts'

export const btw: Command = {
  name: 'btw',
  takes: 'question',
  help: 'ask something aside; the conversation never hears of it',
  run(rest, { desk, turns }) {
    if (rest === '') return desk.say('Say what: /btw what does this function do?', { role: 'warning' })
    turns.aside(rest)
  },
}
