/** Streams that keep what is written, as terminals of a given width or as pipes. */
import { Writable } from 'node:stream'

export interface Captured {
  readonly stream: NodeJS.WriteStream
  text(): string
}

export function capture(terminal: boolean, columns = 80): Captured {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  Object.assign(stream, { isTTY: terminal, columns })
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => chunks.join('') }
}
