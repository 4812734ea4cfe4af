import type { WriteStream } from 'node:tty'
import picocolors from 'picocolors'
import { sanitize, sanitizeLine } from './sanitize.ts'

export type Style = ReturnType<typeof picocolors.createColors>

/** Where a one-shot run is shown: its text on stdout, what is passing on stderr. */
export interface Screen {
  /** Colours of stdout; plain functions when it has none. */
  readonly style: Style
  /** Writes text as it is: the caller has sanitised what is not ours. */
  write(text: string): void
  /** Ends the current line of stdout, if one is begun. */
  freshLine(): void
  /**
   * Shows a passing line (progress) on stderr, replaced by the next and removed by the next write. Nothing where
   * stderr is no terminal, or while a line of text is being written. Drawn ten times a second at most.
   */
  status(text: string | undefined): void
  /** Writes lasting lines on stderr. */
  note(text: string): void
}

interface Streams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly environment: Readonly<Record<string, string | undefined>>
  /** False for `--no-color`. */
  readonly color: boolean
  /** False leaves out everything that passes. */
  readonly progress: boolean
}

const redrawMs = 100

export function openScreen({ stdout, stderr, environment, color, progress }: Streams): Screen {
  const dumb = environment['TERM'] === 'dumb'
  const plain = !color || dumb || (environment['NO_COLOR'] ?? '') !== ''
  const animated = progress && stderr.isTTY && !dumb
  let shown = 0
  let drawnAt = 0
  let lineOpen = false

  // Erased by overwriting, so that no escape sequence is needed where the user wants none.
  const erase = (): void => {
    if (shown > 0) stderr.write(`\r${' '.repeat(shown)}\r`)
    shown = 0
  }
  const freshLine = (): void => {
    if (lineOpen) {
      erase()
      stdout.write('\n')
    }
    lineOpen = false
  }
  return {
    style: picocolors.createColors(stdout.isTTY && !plain),
    write(text) {
      if (text === '') return
      erase()
      stdout.write(text)
      lineOpen = !text.endsWith('\n')
    },
    freshLine,
    status(text) {
      if (!animated || (lineOpen && stdout.isTTY)) return
      if (text === undefined) return erase()
      const now = performance.now()
      if (now - drawnAt < redrawMs) return
      drawnAt = now
      const line = [...sanitizeLine(text)].slice(0, columnsOf(stderr) - 1).join('')
      stderr.write(`\r${line.padEnd(shown)}`)
      shown = Math.max(line.length, 0)
    },
    note(text) {
      erase()
      if (stdout.isTTY) freshLine()
      stderr.write(`${sanitize(text).trimEnd()}\n`)
    },
  }
}

const columnsOf = (stream: NodeJS.WriteStream | WriteStream): number => Math.max(20, stream.columns ?? 80)
