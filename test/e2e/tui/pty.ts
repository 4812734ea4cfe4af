/** The real program on a real pseudo-terminal, its output on a terminal emulator. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type IPty, spawn } from '@lydell/node-pty'
import headless from '@xterm/headless'
import type { ScriptedReply } from '../../../engine/index.ts'

const root = join(import.meta.dirname, '..', '..', '..')

export interface PtyOptions {
  readonly columns?: number
  readonly rows?: number
  /** What the scripted model says. */
  readonly replies?: readonly ScriptedReply[]
  readonly files?: Readonly<Record<string, string>>
  readonly words?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** Reuse of folders of an earlier run. */
  readonly home?: string
  readonly folder?: string
  /** Whether the folder is trusted already. Default: true. */
  readonly trusted?: boolean
}

export interface Pty {
  readonly home: string
  readonly folder: string
  readonly pid: number
  /** Everything that was written to the terminal. */
  output(): string
  type(text: string): void
  resize(columns: number, rows: number): Promise<void>
  /**
   * How many resizes met bytes that the program had written for the old size and the terminal had not read yet. A real
   * terminal breaks those anew as it likes, and no program can know: what is on the screen then proves nothing.
   */
  collisions(): number
  /** The visible rows, without blanks at their ends. */
  screen(): string[]
  /** Scrollback and screen. */
  lines(): string[]
  cursor(): { readonly x: number; readonly y: number }
  /**
   * Waits until the screen (or, for a function, the world) is so. Rejects with the screen after the time. Looked at are whole
   * frames only, so that what stands below the sign is there, too.
   */
  until(what: string | RegExp | (() => boolean), ms?: number): Promise<void>
  /** Waits until no turn is going on and no question is open: what is typed now is a message or a command of its own. */
  rest(): Promise<void>
  exit(): Promise<number>
  kill(signal: string): void
  dispose(): void
}

/** Synchronized output (DEC private mode 2026), as Ink writes it around what belongs together. */
const frameBegin = '\x1b[?2026h'
export const frameEnd = '\x1b[?2026l'
const longestFrame = 100_000
/** The first thing that the program asks when it has heard of a new size (CPR). */
export const cursorQuestion = '\x1b[6n'

const status = /^(plan|ask|auto-edit|auto) ·/
const atWork = /Esc interrupts|Allow this\?|why not\?/

export function openPty(options: PtyOptions = {}): Pty {
  const { columns = 100, rows = 30, trusted = true } = options
  const home = options.home ?? realpathSync(mkdtempSync(join(tmpdir(), 'cachalot-home-')))
  const folder = options.folder ?? realpathSync(mkdtempSync(join(tmpdir(), 'cachalot-work-')))
  for (const [path, text] of Object.entries(options.files ?? {})) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  mkdirSync(join(home, 'state'), { recursive: true })
  if (trusted) writeFileSync(join(home, 'state', 'trusted.json'), JSON.stringify([folder]))
  const script = join(home, 'script.json')
  if (options.replies !== undefined) writeFileSync(script, JSON.stringify({ replies: options.replies }))

  const terminal = new headless.Terminal({ cols: columns, rows, scrollback: 50_000, allowProposedApi: true })
  let output = ''
  /** Whether the emulator has drawn all of the frame that it was given last. */
  let whole = true
  const resizedAt: number[] = []
  const afterFrame: (() => void)[] = []
  let exited: number | undefined
  const { CI: _, NO_COLOR: __, ...inherited } = process.env
  const pty: IPty = spawn(process.execPath, [join(root, 'bin', 'cachalot.js'), ...(options.words ?? [])], {
    name: options.environment?.['TERM'] ?? 'xterm-256color',
    cols: columns,
    rows,
    cwd: folder,
    env: {
      ...(inherited as Record<string, string>),
      TERM: 'xterm-256color',
      CACHALOT_HOME: home,
      CACHALOT_MODEL: `scripted:${script}`,
      ...options.environment,
    },
  })
  // What the emulator answers (colours, device attributes) goes to the program, as in a real terminal.
  terminal.onData((answer) => pty.write(answer))
  pty.onData((data) => {
    output += data
    const end = output.length
    terminal.write(data, () => {
      // Each frame is a synchronized update: it has been drawn when it was ended.
      const drawn = output.slice(Math.max(0, end - longestFrame), end)
      const [begun, ended] = [drawn.lastIndexOf(frameBegin), drawn.lastIndexOf(frameEnd)]
      if (begun >= 0 || ended >= 0) whole = begun <= ended
      if (whole && end === output.length) for (const next of afterFrame.splice(0)) next()
    })
  })
  pty.onExit(({ exitCode }) => {
    exited = exitCode
  })

  const rowsOf = (from: number, to: number): string[] => {
    const buffer = terminal.buffer.active
    return Array.from({ length: to - from }, (_, n) => buffer.getLine(from + n)?.translateToString(true) ?? '')
  }
  const screen = (): string[] => rowsOf(terminal.buffer.active.baseY, terminal.buffer.active.baseY + terminal.rows)
  const wait = async (met: () => boolean, what: string, ms: number): Promise<void> => {
    const end = Date.now() + ms
    while (!met()) {
      if (Date.now() > end) throw new Error(`not seen in ${ms} ms: ${what}\n${screen().join('\n')}`)
      await new Promise((resolve) => setTimeout(resolve, 4))
    }
  }
  const until: Pty['until'] = (what, ms = 30_000) => {
    const met = (): boolean => {
      if (typeof what === 'function') return what()
      const text = screen().join('\n')
      return typeof what === 'string' ? text.includes(what) : what.test(text)
    }
    return wait(() => whole && met(), String(what), ms)
  }
  return {
    home,
    folder,
    pid: pty.pid,
    output: () => output,
    type: (text) => pty.write(text),
    resize: (cols, to) =>
      new Promise((resolve) => {
        let done = false
        const change = (): void => {
          if (done) return
          done = true
          terminal.resize(cols, to)
          pty.resize(cols, to)
          resizedAt.push(output.length)
          resolve()
        }
        // Behind a frame that has been drawn, so that the next one is not on its way yet; a program at rest draws none.
        afterFrame.push(change)
        setTimeout(() => done || terminal.write('', change), 1000)
      }),
    collisions: () => resizedAt.filter((at) => !output.startsWith(cursorQuestion, at)).length,
    screen,
    lines: () => rowsOf(0, terminal.buffer.active.baseY + terminal.rows),
    cursor: () => ({ x: terminal.buffer.active.cursorX, y: terminal.buffer.active.cursorY }),
    until,
    rest: () => until(() => screen().some((row) => status.test(row)) && !screen().some((row) => atWork.test(row))),
    async exit() {
      await wait(() => exited !== undefined, 'the end', 20_000)
      await new Promise<void>((resolve) => terminal.write('', resolve))
      return exited as number
    },
    kill: (signal) => process.kill(pty.pid, signal),
    dispose() {
      if (exited === undefined) pty.kill('SIGKILL')
      terminal.dispose()
      if (options.home === undefined) rmSync(home, { recursive: true, force: true })
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}
