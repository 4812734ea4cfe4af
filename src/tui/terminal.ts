/** The terminal's modes: taken at the start, given back as they were found, whatever ends the program. */
import { writeSync } from 'node:fs'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { openDecoder } from './input/decoder.ts'
import type { InputEvent } from './input/keys.ts'

export interface Terminal {
  /** Keys, text, pastes, focus, answers, as they come. */
  listen(listener: (events: readonly InputEvent[]) => void): void
  /** Sets the window's title; the old one comes back at the end. */
  title(text: string): void
  /** Tells a user who looks elsewhere: OSC 9 (a notification in many terminals) and the bell. */
  notify(text: string): void
  /** Puts text on the clipboard of the machine that the terminal runs on (OSC 52). */
  copy(text: string): void
  /** Asks for the background colour (OSC 11); undefined when the terminal does not say within the time. */
  background(timeoutMs: number): Promise<'dark' | 'light' | undefined>
  /** Asks for the row of the cursor, from 1 (CPR, ECMA-48 8.3.14); undefined when the terminal does not say within the time. */
  cursorRow(timeoutMs: number): Promise<number | undefined>
  /** Gives the modes back for another program, and takes them again. */
  pause(): void
  resume(): void
  close(): void
}

export interface TerminalOptions {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Bracketed paste, focus reports, kitty's keyboard protocol (flag 1: keys told apart), the title on its stack. */
const enter = '\x1b[?2004h\x1b[?1004h\x1b[>1u'
const leave = '\x1b[<u\x1b[?1004l\x1b[?2004l\x1b[?25h'
const keepTitle = '\x1b[22;0t'
const returnTitle = '\x1b[23;0t'

export function openTerminal({ stdin, stdout, environment }: TerminalOptions): Terminal {
  const decoder = openDecoder()
  // The Linux console takes kitty's sequence for another one, and has no title.
  const console = environment['TERM'] === 'linux'
  const [begin, end] = console ? ['\x1b[?2004h', '\x1b[?2004l\x1b[?25h'] : [enter, leave]
  let listener: (events: readonly InputEvent[]) => void = () => undefined
  /** Oldest first; true: the reply was for this one. */
  const waiting = new Set<(reply: string) => boolean>()
  let timer: NodeJS.Timeout | undefined
  let taken = false
  let titled = false

  const give = (events: readonly InputEvent[]): void => {
    // Each question has its own answer: what the oldest takes is not for one that was asked later.
    for (const event of events) if (event.type === 'reply') [...waiting].some((hear) => hear(event.text))
    const rest = events.filter((event) => event.type !== 'reply')
    if (rest.length > 0) listener(rest)
  }
  const read = (chunk: Buffer): void => {
    clearTimeout(timer)
    give(decoder.push(chunk))
    if (decoder.waiting) timer = setTimeout(() => give(decoder.flush()), decoder.patience)
  }
  const take = (): void => {
    if (taken) return
    taken = true
    stdin.setRawMode?.(true)
    stdin.on('data', read)
    stdin.resume()
    stdout.write(begin)
  }
  /** Written at once and past any buffer: the process may be about to die. */
  const restore = (): void => {
    if (!taken) return
    taken = false
    clearTimeout(timer)
    const text = end + (titled ? returnTitle : '')
    titled = false
    try {
      writeSync(1, text)
    } catch {
      stdout.write(text) // a full pipe buffer: the stream waits for it
    }
    stdin.off('data', read)
    stdin.setRawMode?.(false)
    stdin.pause()
  }
  process.on('exit', restore)
  take()

  /** Writes the question and waits for the reply that `read` takes for its answer. */
  const ask = <Answer>(
    question: string,
    timeoutMs: number,
    read: (reply: string) => Answer | undefined,
  ): Promise<Answer | undefined> =>
    new Promise((resolve) => {
      const finish = (answer: Answer | undefined): void => {
        clearTimeout(limit)
        waiting.delete(hear)
        resolve(answer)
      }
      const hear = (reply: string): boolean => {
        const answer = read(reply)
        if (answer !== undefined) finish(answer)
        return answer !== undefined
      }
      const limit = setTimeout(() => finish(undefined), timeoutMs)
      waiting.add(hear)
      stdout.write(question)
    })

  return {
    listen(to) {
      listener = to
    },
    title(text) {
      if (console || !taken) return
      stdout.write(`${titled ? '' : keepTitle}\x1b]0;${sanitizeLine(text).slice(0, 100)}\x07`)
      titled = true
    },
    notify(text) {
      if (taken) stdout.write(`${console ? '' : `\x1b]9;${sanitizeLine(text).slice(0, 100)}\x07`}\x07`)
    },
    copy(text) {
      if (!console) stdout.write(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`)
    },
    background(timeoutMs) {
      if (console) return Promise.resolve('dark')
      return ask('\x1b]11;?\x1b\\\x1b[c', timeoutMs, (reply) => {
        const shade = backgroundOf(reply)
        // Every terminal answers the second question: when its answer comes first, there is none to the first.
        return shade ?? (/^\?[\d;]*c$/.test(reply) ? 'none' : undefined)
      }).then((found) => (found === 'none' ? undefined : found))
    },
    cursorRow: (timeoutMs) =>
      ask('\x1b[6n', timeoutMs, (reply) => {
        const row = /^(\d+);\d+R$/.exec(reply)?.[1]
        return row === undefined ? undefined : Number(row)
      }),
    pause: restore,
    resume: take,
    close() {
      restore()
      process.off('exit', restore)
    },
  }
}

/** `11;rgb:RRRR/GGGG/BBBB` (xterm's control sequences, OSC 11) by its luminance (ITU-R BT.709). */
export function backgroundOf(reply: string): 'dark' | 'light' | undefined {
  const found = /^11;rgba?:([\da-f]{1,4})\/([\da-f]{1,4})\/([\da-f]{1,4})/i.exec(reply)
  if (found === null) return undefined
  const [r, g, b] = found.slice(1).map((hex) => Number.parseInt(hex, 16) / (16 ** hex.length - 1)) as [
    number,
    number,
    number,
  ]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.5 ? 'light' : 'dark'
}
