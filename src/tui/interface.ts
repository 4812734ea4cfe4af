/** The interactive interface put together: one terminal, one screen, one session at a time. */
import { basename, join } from 'node:path'
import { openAhead } from './ahead.ts'
import { openApprovals } from './approvals.ts'
import { openCommands } from './commands/index.ts'
import { addAside, addTurn, newTotals } from './commands/totals.ts'
import { openFileList } from './complete/files.ts'
import { branchOf, openCurrent } from './current.ts'
import type { Desk } from './desk.ts'
import { openDrawing } from './drawing.ts'
import { loadHistory } from './editor/history.ts'
import { insertMode } from './editor/vim.ts'
import { promptWidth } from './frame.ts'
import { openIdle } from './idle.ts'
import { openKeys } from './keys.ts'
import type { Mode } from './modes.ts'
import { editDraft } from './outside.ts'
import type { Place } from './place.ts'
import { openShell } from './shell.ts'
import { type Begin, beginSession } from './start.ts'
import { defaultStatus, type StatusItem } from './status.ts'
import { openTerminal } from './terminal.ts'
import { linesOf } from './text/style.ts'
import { depthOf, shadeOf, themeFor, themeNamed } from './text/themes.ts'
import { wrap } from './text/wrap.ts'
import { openTranscript, unfolded } from './transcript/transcript.ts'
import { openTurns, type Turns } from './turns.ts'
import { newUi } from './ui.ts'

export interface InterfaceOptions {
  readonly place: Place
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly settings: InterfaceSettings
  /** Where trusted folders are remembered. */
  readonly trustFile: string
  /** Lines for the user before anything else. */
  readonly warnings: readonly string[]
  readonly begin: Begin
}

export interface InterfaceSettings {
  readonly theme: string
  readonly mode: Mode
  readonly reasoning: 'shown' | 'folded'
  readonly status: readonly StatusItem[]
  readonly screenReader: boolean
  readonly vim: boolean
  readonly rings: boolean
}

export const defaultSettings: InterfaceSettings = {
  theme: 'auto',
  mode: 'ask',
  reasoning: 'folded',
  status: defaultStatus,
  screenReader: false,
  vim: false,
  rings: true,
}

/** Runs until the user quits, and gives the exit code. */
export async function openInterface(options: InterfaceOptions): Promise<number> {
  const { place, stdin, stdout, settings, begin } = options
  const { environment, folders, root } = place
  const terminal = openTerminal({ stdin, stdout, environment })
  const transcript = openTranscript({ reasoning: settings.reasoning })
  const ui = newUi({
    mode: settings.mode,
    model: place.model,
    contextTokens: undefined,
    sandbox: '',
    folder: root,
    statusItems: settings.status,
    still: settings.screenReader,
    vim: settings.vim ? insertMode : undefined,
    rings: settings.rings,
  })
  /** A terminal on a busy machine or behind a slow line answers late; one that never does is not waited for twice. */
  let tellsRow = true
  const drawing = openDrawing({
    ui,
    transcript,
    stdout,
    depth: depthOf(environment),
    theme: themeNamed(settings.theme) ?? themeFor(shadeOf(environment) ?? 'dark'),
    screenReader: settings.screenReader,
    // tmux tells of a new size at most every 250 ms, and draws with it at once (its server-client.c, 3.0 and later).
    calmMs: environment['TMUX'] === undefined ? 100 : 300,
    async cursorRow() {
      const row = await terminal.cursorRow(tellsRow ? 2000 : 150)
      tellsRow = row !== undefined
      return row
    },
  })
  let exit: (code: number) => void = () => undefined
  const ended = new Promise<number>((resolve) => {
    exit = resolve
  })
  const historyFile = join(folders.state, 'history.jsonl')

  const desk: Desk = {
    ui,
    transcript,
    terminal,
    place,
    historyFile,
    entries: await loadHistory(historyFile),
    files: openFileList(root, () => drawing.drawSoon()),
    session: () => current.session(),
    switchSession: (request) => current.switchTo(request),
    draw: drawing.draw,
    drawSoon: drawing.drawSoon,
    say: (text, style) => desk.sayLines((width) => linesOf(text, style).flatMap((one) => wrap(one, width))),
    sayLines(lines) {
      transcript.add(lines)
      drawing.drawSoon()
    },
    hint(text, ms = 4000) {
      ui.hint = { text, until: Date.now() + ms }
      drawing.draw()
    },
    choose: ({ title, choices }) =>
      new Promise((resolve) => {
        const close = (index: number | undefined): void => {
          ui.picker = undefined
          resolve(index)
          drawing.draw()
        }
        ui.picker = { title, choices, query: '', at: 0, pick: close, cancel: () => close(undefined) }
        drawing.draw()
      }),
    async suspend(during) {
      await drawing.suspend(async () => {
        terminal.pause()
        try {
          await during()
        } finally {
          terminal.resume()
        }
      })
    },
    theme: drawing.theme,
    setTheme: drawing.setTheme,
    quit: (code) => exit(code),
  }

  const totals = newTotals()
  const approvals = openApprovals(desk)
  const idle = openIdle(desk, () => turns)
  const turns: Turns = openTurns(desk, {
    ended(result) {
      idle.turnEnded()
      addTurn(totals, result.usage)
      ui.branch = branchOf(root)
    },
    asideEnded: (usage) => addAside(totals, usage),
  })
  const current = openCurrent({
    ui,
    transcript,
    place,
    approve: approvals.approve,
    draw: drawing.drawSoon,
    drawNow: drawing.draw,
    named: (title) => terminal.title(`${title ?? basename(root)} · Cachalot`),
  })
  const shell = openShell(desk, turns)
  const commands = await openCommands(desk, turns, totals)

  const submit: Parameters<typeof openKeys>[0]['submit'] = (text, when) => {
    if (text.startsWith('/') && commands.run(text)) return
    if (text.startsWith('!') && text.length > 1) shell.run(text.slice(1).trim())
    else turns.submit(text, when)
  }
  const onEvent = openKeys({
    desk,
    turns,
    approvals,
    width: () => Math.max(1, drawing.size().columns - promptWidth),
    submit,
    commands: commands.list,
    interrupt() {
      const running = turns.running || ui.asides.length > 0
      turns.interrupt()
      return shell.interrupt() || running
    },
    editOutside: () => void editDraft(desk),
    toggleReasoning() {
      const { options: shown } = transcript
      shown.reasoning = shown.reasoning === 'shown' ? 'folded' : 'shown'
      const { reasoning } = transcript
      if (shown.reasoning === 'shown' && reasoning !== '' && !turns.running)
        desk.sayLines((width) => unfolded(reasoning, width))
      desk.hint(`reasoning is ${shown.reasoning} from now on`)
    },
  })
  const ahead = openAhead(desk, turns)
  terminal.listen((events) => {
    for (const event of events) onEvent(event)
    ahead.typed()
    drawing.draw()
  })

  const signals = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130 } as const
  const onSignal = (signal: NodeJS.Signals): void => exit(signals[signal as keyof typeof signals])
  for (const signal of Object.keys(signals)) process.on(signal, onSignal)

  const { trustFile, warnings } = options
  /** The grammars are large: loaded when the prompt is there. */
  const colourCode = async (): Promise<void> => {
    const { openHighlight } = await import('./transcript/highlight.ts')
    transcript.options.highlight = openHighlight()
  }
  beginSession({ desk, turns, begin, trustFile, warnings, findTheme: settings.theme === 'auto' })
    .then((trusted) => (trusted ? colourCode() : exit(0)))
    .catch((error: unknown) => desk.say(error instanceof Error ? error.message : String(error), { role: 'error' }))

  // Stopped from outside and continued: the shell has had the terminal meanwhile.
  const onContinue = (): void => void desk.suspend(async () => undefined)
  process.on('SIGCONT', onContinue)

  const code = await ended
  process.off('SIGCONT', onContinue)
  ahead.close()
  idle.close()
  turns.interrupt()
  shell.interrupt()
  await Promise.race([turns.idle(), new Promise((resolve) => setTimeout(resolve, 1000))])
  for (const signal of Object.keys(signals)) process.off(signal, onSignal)
  await drawing.close()
  terminal.close()
  await Promise.race([current.close().then(() => place.close()), new Promise((resolve) => setTimeout(resolve, 2000))])
  return code
}
