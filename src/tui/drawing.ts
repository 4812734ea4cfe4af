/** When frames are drawn: at once for keys, a few times a second for streams, never for nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { chrome, type Size } from './frame.ts'
import { type Depth, type Painter, painter, type Theme } from './text/themes.ts'
import { wrap } from './text/wrap.ts'
import type { Transcript } from './transcript/transcript.ts'
import type { Ui } from './ui.ts'
import { openScreen } from './view/screen.tsx'

export interface Drawing {
  draw(): void
  drawSoon(): void
  size(): Size
  theme(): Theme
  setTheme(theme: Theme): void
  suspend(during: () => Promise<void>): Promise<void>
  /** Draws what is left for the scrollback, then gives the screen back. */
  close(): Promise<void>
}

export interface DrawingOptions {
  readonly ui: Ui
  readonly transcript: Transcript
  readonly stdout: NodeJS.WriteStream
  readonly depth: Depth
  readonly theme: Theme
  readonly screenReader: boolean
  readonly cursorRow: () => Promise<number | undefined>
  /** See ScreenOptions. */
  readonly calmMs: number
}

/** Finished lines are given to the scrollback this often at most: each time costs a whole live frame. */
const takeMs = 40
/** Lines given at once: more would hold up the keys. */
const mostLines = 200
/** The moving mark of an activity. */
const tickMs = 120

export function openDrawing({
  ui,
  transcript,
  stdout,
  depth,
  screenReader,
  cursorRow,
  calmMs,
  ...start
}: DrawingOptions): Drawing {
  let theme = start.theme
  let paint: Painter = painter(theme, depth)
  let takenAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let dueAt = Number.POSITIVE_INFINITY
  let closed = false
  /** Painted lines on their way to the scrollback. */
  const backlog: string[] = []

  const size = (): Size => ({ columns: Math.max(1, stdout.columns || 80), rows: Math.max(1, stdout.rows || 24) })

  const frame = (): void => {
    if (closed) return
    refreshSize(stdout)
    // Also when it has just learned of a new size: what Ink writes until that is settled is lost.
    if (screen.busy) return
    const now = performance.now()
    const { columns, rows } = size()
    const part = chrome(ui, { columns, rows }, Date.now())
    // A question is never on the screen before what it is about.
    const asked = ui.approvals.length > 0 || ui.picker !== undefined
    const due = asked || now - takenAt >= (backlog.length > 0 ? 8 : takeMs)
    if (due) takenAt = now
    if (due) {
      // Broken here once more: what is too wide would be cut.
      const taken = transcript.take(columns, part.room).flatMap((one) => wrap(one, columns, { hard: true }))
      for (const one of taken) backlog.push(paint(one))
    }
    const finished = due ? backlog.splice(0, asked ? backlog.length : mostLines) : []
    // What is newer than the backlog is not shown before it.
    const live = backlog.length > 0 ? [] : transcript.live(columns, part.room)
    const { cursor } = part
    screen.draw({
      finished,
      live: [...live, ...part.lines].map(paint),
      streaming: live.length,
      cursor: cursor === undefined ? undefined : { x: cursor.x, y: cursor.y + live.length },
    })
    if (!due) later(takeMs - (now - takenAt))
    else if (backlog.length > 0) later(10)
    else if (ui.activity !== undefined && !ui.still) later(tickMs)
    if (ui.hint !== undefined) {
      const left = ui.hint.until - Date.now()
      if (left <= 0) ui.hint = undefined
      later(Math.max(1, left))
    }
  }

  /** One timer, for the earliest that was asked for. */
  const later = (ms: number): void => {
    const at = performance.now() + ms
    if (at >= dueAt) return
    clearTimeout(timer)
    dueAt = at
    timer = setTimeout(() => {
      dueAt = Number.POSITIVE_INFINITY
      frame()
    }, ms)
  }

  const screen = openScreen({
    stdout,
    screenReader,
    cursorRow,
    calmMs,
    resized(pushedOut) {
      transcript.pushedOut(pushedOut)
      frame()
    },
  })

  return {
    draw: frame,
    drawSoon: () => later(takeMs),
    size,
    theme: () => theme,
    setTheme(next) {
      theme = next
      paint = painter(theme, depth)
      frame()
    },
    suspend: (during) => screen.suspend(during),
    async close() {
      // The terminal answers, or its time is over, in a moment.
      while (screen.busy) await sleep(5)
      do {
        takenAt = Number.NEGATIVE_INFINITY
        frame()
      } while (backlog.length > 0)
      closed = true
      clearTimeout(timer)
      await screen.close()
    },
  }
}

/**
 * Asks the terminal for its size now. Node learns of a new size by a signal that waits for the event loop; a frame drawn
 * before that would break in a narrower terminal, and its debris could not be counted any more.
 */
function refreshSize(stdout: NodeJS.WriteStream & { readonly _refreshSize?: () => void }): void {
  stdout._refreshSize?.()
}
