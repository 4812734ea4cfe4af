import type { LogWriter } from './log/write.ts'
import type { Clock } from './options.ts'

/** What the user says while a run goes on. */
export class Steering {
  readonly #log: LogWriter
  readonly #clock: Clock
  #words: string[] = []

  constructor(log: LogWriter, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  say(text: string): void {
    this.#words.push(text)
  }

  /** The words that came since the last look; in the log as a person's, for the model has them among its messages. */
  heard(): readonly string[] {
    const words = this.#words.splice(0)
    const time = new Date(this.#clock.now()).toISOString()
    // A log that cannot be written ends the run at its next message.
    for (const text of words) this.#log.note({ type: 'steer', time, text }).catch(() => undefined)
    return words
  }
}
