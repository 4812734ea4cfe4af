/** Commands about the work: what changed, taking it back, the standing instructions. */
import { hostGit } from '../../../sandbox/index.ts'
import { editFile } from '../outside.ts'
import { span } from '../text/style.ts'
import { patchLines } from '../transcript/diff.ts'
import type { Command } from './command.ts'
import { redo, undo } from './undo.ts'

const diff: Command = {
  name: 'diff',
  help: 'what differs from the last commit',
  async run(_, { desk }) {
    try {
      const safe = ['--no-color', '--no-ext-diff', '--no-textconv', '--ignore-submodules=all']
      const patch = await hostGit(desk.place.root, ['diff', ...safe, 'HEAD'])
      const fresh = (await hostGit(desk.place.root, ['ls-files', '--others', '--exclude-standard']))
        .split('\n')
        .filter((one) => one !== '')
      if (patch === '' && fresh.length === 0) return desk.say('Nothing differs from the last commit.')
      for (const part of patch.split(/^(?=diff --git )/m).filter((one) => one !== '')) {
        const name = /^\+\+\+ b\/(.*)$/m.exec(part)?.[1] ?? /^diff --git a\/(\S+)/.exec(part)?.[1] ?? ''
        desk.sayLines((width) => [[span(name, { bold: true })], ...patchLines(part, { width, limit: 2000 })])
      }
      if (fresh.length > 0)
        desk.say(`New, not in git: ${fresh.slice(0, 20).join(', ')}${fresh.length > 20 ? ', …' : ''}`)
    } catch (error) {
      desk.say(`git cannot tell: ${(error as Error).message.split('\n')[0]}`, { role: 'warning' })
    }
  },
}

const initPrompt =
  'Look at this repository and write AGENTS.md at its root: what it is, how it is built, tested and linted (the exact commands), how its folders are laid out, and the conventions that a newcomer would get wrong. At most 60 lines. If there is an AGENTS.md already, improve it.'

const init: Command = {
  name: 'init',
  help: 'let the agent write AGENTS.md',
  run: (_, { turns }) => turns.submit(initPrompt, 'after'),
}

const memory: Command = {
  name: 'memory',
  help: 'edit AGENTS.md, which every session reads',
  async run(_, { desk }) {
    if (await editFile(desk, `${desk.place.root}/AGENTS.md`))
      desk.say('AGENTS.md is read when a session begins: /new starts one.', { role: 'muted' })
  },
}

const copy: Command = {
  name: 'copy',
  help: 'the last answer to the clipboard',
  run(_, { desk }) {
    const { answer } = desk.transcript
    if (answer === '') return desk.say('There is no answer yet.', { role: 'warning' })
    desk.terminal.copy(answer)
    desk.hint('copied, if the terminal allows it (OSC 52)')
  },
}

export const workCommands: readonly Command[] = [diff, undo, redo, copy, init, memory]
