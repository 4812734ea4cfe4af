/** All slash commands, and what happens with a line that begins with one. */
import { join } from 'node:path'
import { nearest } from '../../nearest.ts'
import type { Desk } from '../desk.ts'
import type { Turns } from '../turns.ts'
import { btw } from './btw.ts'
import type { Command } from './command.ts'
import { compact } from './compact.ts'
import { cost } from './cost.ts'
import { customCommands } from './custom.ts'
import { sessionCommands } from './sessions.ts'
import { showCommands } from './show.ts'
import type { Totals } from './totals.ts'
import { workCommands } from './work.ts'

export interface Commands {
  readonly list: readonly Command[]
  /** Runs the command that the text is. False when it is none: a path such as /etc/hosts is a message. */
  run(text: string): boolean
}

const order = [
  ...['help', 'keys', 'mode', 'model', 'resume', 'new', 'fork', 'tree', 'rename', 'export', 'undo', 'redo', 'diff'],
  ...['btw', 'context', 'compact', 'cost', 'copy', 'memory', 'init', 'config', 'theme', 'doctor', 'quit'],
]

export async function openCommands(desk: Desk, turns: Turns, totals: Totals): Promise<Commands> {
  const own = [...showCommands, ...workCommands, ...sessionCommands, btw, compact, cost]
  own.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  const { root, folders } = desk.place
  const custom = await customCommands([join(folders.config, 'commands'), join(root, '.cachalot', 'commands')])
  const taken = new Set(own.map(({ name }) => name))
  const list = [...own, ...custom.filter(({ name }) => !taken.has(name))]
  const context = { desk, turns, commands: list, totals }
  return {
    list,
    run(text) {
      const [, name, rest = ''] = /^\/([\w-]+)(?:\s+([\s\S]*))?$/.exec(text.trim()) ?? []
      if (name === undefined) return false
      const command = list.find((one) => one.name === name)
      if (command === undefined) {
        const meant = nearest(
          name,
          list.map((one) => one.name),
        )
        desk.say(
          `There is no command /${name}.${meant === undefined ? ' /help lists them.' : ` Did you mean /${meant}?`}`,
          { role: 'warning' },
        )
        return true
      }
      Promise.resolve()
        .then(() => command.run(rest.trim(), context))
        .catch((error: unknown) => desk.say(error instanceof Error ? error.message : String(error), { role: 'error' }))
        .finally(() => desk.draw())
      return true
    },
  }
}
