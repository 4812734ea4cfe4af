/** Commands that show something or change how things look. */
import { contextLines, contextSummary } from '../../commands/context-lines.ts'
import { bar, count, plural } from '../../terminal/numbers.ts'
import { modeHelp, modes } from '../modes.ts'
import { type Line, line, span } from '../text/style.ts'
import { depthOf, themeNamed, themes } from '../text/themes.ts'
import { wrap } from '../text/wrap.ts'
import type { Command } from './command.ts'

/** Two columns, the second broken to what is left. */
export function columns(rows: readonly (readonly [string, string])[], width: number): Line[] {
  const widest = Math.max(...rows.map(([left]) => left.length)) + 2
  const first = Math.min(widest, 30, Math.max(8, Math.floor(width / 2)))
  const hang = [span(' '.repeat(first + 2))]
  return rows.flatMap(([left, right]) =>
    wrap([span('  '), span(`${left} `.padEnd(first), { role: 'accent' }), span(right)], width, { hang }),
  )
}

const help: Command = {
  name: 'help',
  help: 'all commands, one line each',
  run(_, { desk, commands }) {
    desk.sayLines((width) => [
      line('Commands', { bold: true }),
      ...columns(
        commands.map(({ name, takes, help: text }) => [`/${name}${takes === undefined ? '' : ` ${takes}`}`, text]),
        width,
      ),
      ...wrap(
        line(
          '  @path names a file, @path:10-40 lines of it; !command runs a command in the sandbox; /keys lists the keys',
          { role: 'muted' },
        ),
        width,
        { hang: [span('  ')] },
      ),
    ])
  },
}

const keyRows: readonly (readonly [string, string])[] = [
  ['Enter', 'send; while the agent works: tell it at the next tool boundary'],
  ['Alt-Enter', 'while the agent works: send when the turn has ended'],
  ['Shift-Enter, Ctrl-J', 'a new line'],
  ['Esc', 'interrupt; close a list'],
  ['Ctrl-C', 'interrupt or clear; twice: quit'],
  ['Ctrl-D', 'quit, when nothing is written'],
  ['Shift-Tab', 'next mode: plan, ask, auto-edit, auto'],
  ['Up, Down', 'lines, then earlier messages; while the agent works: take back what is queued'],
  ['Ctrl-R', 'search earlier messages'],
  ['Tab', 'complete a path or command'],
  ['Ctrl-G', 'write in $EDITOR'],
  ['Ctrl-V', 'attach the picture on the clipboard'],
  ['Ctrl-O', 'show or fold reasoning'],
  ['Ctrl-X', 'unfold a paste'],
  ['Ctrl-A Ctrl-E Alt-B Alt-F', 'start and end of line, words back and on'],
  ['Ctrl-W Ctrl-U Ctrl-K Ctrl-Y', 'cut word, to start, to end; paste what was cut'],
  ['Ctrl-Z, Alt-Z', 'undo and redo typing'],
]

const keys: Command = {
  name: 'keys',
  help: 'the keys',
  run: (_, { desk }) => desk.sayLines((width) => [line('Keys', { bold: true }), ...columns(keyRows, width)]),
}

const mode: Command = {
  name: 'mode',
  takes: '[name]',
  help: 'how much is done without asking: plan, ask, auto-edit, auto',
  choices: () => modes,
  async run(rest, { desk }) {
    const named = modes.find((one) => one === rest)
    if (named === undefined && rest !== '')
      return desk.say(`There is no mode ${rest}. Modes: ${modes.join(', ')}.`, { role: 'warning' })
    const choices = modes.map((name) => ({ label: name, detail: modeHelp[name] }))
    const at = named === undefined ? await desk.choose({ title: 'Mode', choices }) : modes.indexOf(named)
    const chosen = at === undefined ? undefined : modes[at]
    if (chosen === undefined) return
    desk.ui.mode = chosen
    desk.hint(modeHelp[chosen])
  },
}

const theme: Command = {
  name: 'theme',
  takes: '[name]',
  help: 'colours: dark, light or contrast',
  choices: () => themes.map(({ name }) => name),
  async run(rest, { desk }) {
    const choices = themes.map(({ name, background }) => ({ label: name, detail: `for a ${background} background` }))
    const at = rest === '' ? await desk.choose({ title: 'Theme', choices }) : undefined
    const chosen = rest === '' ? themes[at ?? -1] : themeNamed(rest)
    if (chosen !== undefined) {
      desk.setTheme(chosen)
      desk.hint(`to keep it: theme = "${chosen.name}" under [ui] in ${desk.place.folders.config}/config.toml`)
    }
    if (chosen === undefined && rest !== '')
      desk.say(`There is no theme ${rest}. Themes: ${themes.map(({ name }) => name).join(', ')}.`, { role: 'warning' })
  },
}

const context: Command = {
  name: 'context',
  takes: '[files]',
  help: 'how full the context is, and how much of it is warm; what of the repository is in it, by folder and file',
  choices: () => ['files'],
  async run(rest, { desk }) {
    const { ui, sayLines } = desk
    if (rest === 'files') {
      const lines = contextLines(await (await desk.session()).context())
      return sayLines((width) => lines.flatMap((one) => wrap(line(one), width)))
    }
    const { contextUsed, contextTokens, warm } = ui
    const rows: [string, string][] = [
      [
        'used',
        contextTokens === undefined ? count(contextUsed) : `${count(contextUsed)} of ${count(contextTokens)} tokens`,
      ],
      ['warm', `${count(warm)} tokens of the last request were in the cache already`],
    ]
    const gauge =
      contextTokens === undefined ? [] : [line(`  ${bar(contextUsed / contextTokens, 40)}`, { role: 'accent' })]
    sayLines((width) => [line('Context', { bold: true }), ...gauge, ...columns(rows, width)])
    const lines = [...contextSummary(await (await desk.session()).context()), '/context files names each file.']
    sayLines((width) => lines.flatMap((one) => wrap(line(one), width)))
  },
}

const config: Command = {
  name: 'config',
  takes: '[all]',
  help: 'what is set, its value and where it comes from; all: the defaults too',
  choices: () => ['all'],
  run(rest, { desk }) {
    const { settings, folders } = desk.place
    const every = settings()
    const chosen = rest === 'all' ? every : every.filter(({ origin }) => origin !== 'default')
    const rows = chosen.map(({ key, value, origin }): [string, string] => [
      key,
      `${value === undefined ? 'not set' : JSON.stringify(value)}  (${origin})`,
    ])
    const hidden = every.length - chosen.length
    const more = hidden > 0 ? `${plural(hidden, 'setting')} at their defaults: /config all. ` : ''
    desk.sayLines((width) => [
      line('Settings', { bold: true }),
      ...(rows.length > 0 ? columns(rows, width) : []),
      ...wrap(line(`  ${more}Yours are in ${folders.config}/config.toml`, { role: 'muted' }), width),
    ])
  },
}

const doctor: Command = {
  name: 'doctor',
  help: 'what this machine and terminal can do',
  async run(_, { desk }) {
    const { place, ui } = desk
    const sandbox = await place.sandbox()
    const { environment } = place
    const rows: [string, string][] = [
      ['cachalot', `${place.version}, Node ${process.version}, ${process.platform} ${process.arch}`],
      ['model', ui.model],
      ['sandbox', sandbox.words],
      ['folder', place.root],
      ['state', place.folders.state],
      ['settings', place.folders.config],
      [
        'terminal',
        `${environment['TERM'] ?? 'unknown'}, colours: ${depthOf(environment)}, theme: ${desk.theme().name}`,
      ],
      ['files', count((await desk.files.ready()).length)],
    ]
    desk.sayLines((width) => [line('Doctor', { bold: true }), ...columns(rows, width)])
  },
}

const quit: Command = { name: 'quit', help: 'end the session', run: (_, { desk }) => desk.quit(0) }

export const showCommands: readonly Command[] = [help, keys, mode, theme, context, config, doctor, quit]
