/** What the parts of the interactive interface share. They talk to each other only through this. */
import type { Session } from '../../agent/index.ts'
import type { FileList } from './complete/files.ts'
import type { SwitchRequest } from './current.ts'
import type { Place } from './place.ts'
import type { Terminal } from './terminal.ts'
import type { Line, Style } from './text/style.ts'
import type { Theme } from './text/themes.ts'
import type { Transcript } from './transcript/transcript.ts'
import type { Picker, Ui } from './ui.ts'

export interface Desk {
  readonly ui: Ui
  readonly transcript: Transcript
  readonly terminal: Terminal
  readonly place: Place
  readonly files: FileList
  /** What was sent before, oldest first. */
  readonly entries: string[]
  readonly historyFile: string
  /** The session in use; waits until it is open. Rejects when it cannot be opened, with the fix in the message. */
  session(): Promise<Session>
  /** Ends the session in use and opens another: a new one, or an earlier one by its log. */
  switchSession(request: SwitchRequest): Promise<void>
  /** Draws at once (keys) or within a frame's time (streams). */
  draw(): void
  drawSoon(): void
  /** Lines of ours into the scrollback; texts are broken to the width. */
  say(text: string, style?: Style): void
  sayLines(lines: (width: number) => readonly Line[]): void
  /** A passing word at the foot of the screen. */
  hint(text: string, ms?: number): void
  choose(picker: Pick<Picker, 'title' | 'choices'>): Promise<number | undefined>
  /** Hands the screen to another program. */
  suspend(during: () => Promise<void>): Promise<void>
  theme(): Theme
  setTheme(theme: Theme): void
  quit(code: number): void
}
