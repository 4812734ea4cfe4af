import { sanitizeLine } from '../terminal/sanitize.ts'

/** Output of a running command, shown while it comes: the first lines as they are, then only the last few at the end. */
export interface CommandOutput {
  push(text: string): void
  /** What is left to show when the command has ended. */
  end(): void
}

const headLines = 12
const tailLines = 4

/** `show` gets single sanitised lines without a newline; `passing` the newest line once the head is full. */
export function commandOutput(show: (line: string) => void, passing: (line: string) => void): CommandOutput {
  let open = ''
  let shown = 0
  let dropped = 0
  const tail: string[] = []

  const line = (raw: string): void => {
    // A carriage return inside a line is a redrawn progress line: its last state is what counts.
    const text = sanitizeLine(raw.replace(/\r+$/, '').split('\r').at(-1) ?? '')
    if (shown < headLines) {
      shown += 1
      show(text)
      return
    }
    tail.push(text)
    if (tail.length > tailLines) {
      tail.shift()
      dropped += 1
    }
    passing(text)
  }
  return {
    push(text) {
      const lines = (open + text).split('\n')
      open = lines.pop() ?? ''
      for (const one of lines) line(one)
      // A line without an end may grow for ever; what was redrawn over is not needed.
      if (open.length > 64 * 1024) open = open.slice(-1024)
    },
    end() {
      if (open !== '') line(open)
      open = ''
      if (dropped > 0) show(`… ${dropped} more lines`)
      for (const one of tail.splice(0)) show(one)
    },
  }
}
