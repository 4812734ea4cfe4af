/** The drawn screen: takes finished lines and live lines, gives them to Ink, survives resizes without debris. */
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { render } from 'ink'
import { App, type Batch, type View, type ViewStore } from './app.tsx'
import { overflow, pushedOut, rowsToCursor, toTop } from './rows.ts'

export interface Screen {
  /** `finished` goes to the scrollback for good; `live` replaces the live lines. */
  draw(frame: {
    readonly finished: readonly string[]
    readonly live: readonly string[]
    /** How many of the first live lines are text that streams. */
    readonly streaming: number
    readonly cursor: View['cursor']
  }): void
  /** A resize is being settled, or another program has the terminal: nothing is drawn until `resized` is called. */
  readonly busy: boolean
  /** Hands the terminal to another program (an editor) until `during` ends; then draws anew. */
  suspend(during: () => Promise<void>): Promise<void>
  /** Leaves the last frame's place empty and gives the terminal back. */
  close(): Promise<void>
}

export interface ScreenOptions {
  readonly stdout: NodeJS.WriteStream
  readonly screenReader: boolean
  /** The row of the terminal's cursor, from 1; undefined when it does not say. */
  readonly cursorRow: () => Promise<number | undefined>
  /**
   * A window that is dragged changes its size many times a second. What is written between two of the sizes can reach the
   * terminal after the next one, which breaks it in a way that cannot be counted: nothing is written until the size has
   * stayed for so long.
   */
  readonly calmMs: number
  /**
   * Called after the size changed and the old frame is gone. `pushedOut` is the text of streaming rows that a smaller
   * terminal pushed into its scrollback, where they stay.
   */
  readonly resized: (pushedOut: string) => void
}

export function openScreen({ stdout, screenReader, cursorRow, calmMs, resized }: ScreenOptions): Screen {
  const listeners = new Set<() => void>()
  let view: View = { batches: [], live: [], streaming: 0, cursor: undefined }
  let rendered = view
  /** What the terminal shows: Ink may not have written the newest view yet. */
  let shown = view
  let batchId = 0
  const store: ViewStore = {
    view: () => view,
    subscribe(changed) {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    rendered(next) {
      rendered = next
    },
  }
  const set = (next: View): void => {
    view = next
    for (const changed of listeners) changed()
  }

  const out = new InkOutput(stdout, () => {
    shown = rendered
  })
  const ink = render(<App store={store} />, {
    // Ink asks a stream for these members only; see InkOutput.
    stdout: out as unknown as NodeJS.WriteStream,
    // Our own decoder reads the keys: Ink's would hold an unended paste for ever and knows no focus.
    stdin: new PassThrough() as unknown as NodeJS.ReadStream,
    exitOnCtrlC: false,
    patchConsole: true,
    interactive: true,
    incrementalRendering: !screenReader,
    maxFps: 120,
    isScreenReaderEnabled: screenReader,
  })

  /**
   * A narrower terminal has broken the old lines into more rows than Ink wrote, so Ink would erase too few. The rows
   * are counted here and erased from the frame's top; Ink is made to forget the old frame without writing anything.
   * What of the frame is above the screen now stays in the scrollback: terminals differ in that, so the cursor is asked for.
   */
  let width = stdout.columns
  let resizes = 0
  let busy = false
  let calm: NodeJS.Timeout | undefined
  const onResize = (): void => {
    resizes += 1
    const own = resizes
    busy = true
    out.muted = true
    clearTimeout(calm)
    calm = setTimeout(() => {
      void cursorRow().then((row) => {
        if (own === resizes) settle(row)
      })
    }, calmMs)
  }
  const settle = (row: number | undefined): void => {
    const columns = Math.max(1, stdout.columns)
    const broken = columns < width ? columns : Number.POSITIVE_INFINITY
    width = columns
    const over =
      row === undefined ? overflow(shown, broken, Math.max(1, stdout.rows)) : rowsToCursor(shown, broken) - (row - 1)
    const before = shown
    // Ink draws what it has once more when it hears of a size, cut to it: nobody sees that.
    out.emit('resize')
    ink.clear()
    out.muted = false
    busy = false
    stdout.write(`${toTop(before, broken)}\x1b[J`)
    shown = { ...view, live: [], streaming: 0, cursor: undefined }
    resized(pushedOut(before, broken, over))
  }
  stdout.on('resize', onResize)

  return {
    get busy() {
      return busy
    },
    draw({ finished, live, streaming, cursor }) {
      if (finished.length === 0) {
        set({ batches: view.batches, live, streaming, cursor })
        return
      }
      batchId += 1
      const batch: Batch = { id: batchId, lines: finished }
      set({ batches: [...view.batches, batch], live, streaming, cursor })
    },
    async suspend(during) {
      stdout.off('resize', onResize)
      clearTimeout(calm)
      resizes += 1
      ink.clear()
      out.muted = true
      busy = true
      try {
        await during()
      } finally {
        // What Ink was given meanwhile it has written nowhere: there is no old frame to be erased.
        out.emit('resize')
        ink.clear()
        out.muted = false
        busy = false
        stdout.on('resize', onResize)
        width = stdout.columns
        resized('')
      }
    },
    async close() {
      stdout.off('resize', onResize)
      clearTimeout(calm)
      set({ batches: view.batches, live: [], streaming: 0, cursor: undefined })
      await ink.waitUntilRenderFlush()
      ink.unmount()
      await ink.waitUntilExit()
    },
  }
}

/** The part of a tty stream that Ink uses. A lifetime of its own, so that resizes reach Ink when we say so. */
class InkOutput extends EventEmitter {
  readonly isTTY = true
  /** While set, what Ink writes is dropped. */
  muted = false
  readonly #stream: NodeJS.WriteStream

  readonly #wrote: () => void

  /** `wrote`: called with everything that reaches the terminal. */
  constructor(stream: NodeJS.WriteStream, wrote: () => void) {
    super()
    this.#stream = stream
    this.#wrote = wrote
  }

  get columns(): number {
    return Math.max(1, this.#stream.columns || 80)
  }

  get rows(): number {
    return Math.max(1, this.#stream.rows || 24)
  }

  get writable(): boolean {
    return this.#stream.writable
  }

  get destroyed(): boolean {
    return this.#stream.destroyed
  }

  get writableEnded(): boolean {
    return this.#stream.writableEnded
  }

  write(data: string, done?: () => void): boolean {
    if (!this.muted && data !== '') {
      this.#wrote()
      return this.#stream.write(data, done)
    }
    if (done !== undefined) queueMicrotask(done)
    return true
  }
}
