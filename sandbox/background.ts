/** Commands that go on while the conversation does: started, read later, stopped; all gone when the session ends. */
import { OutputBuffer } from './output.ts'
import type { Command, CommandResult, RunOptions, Sandbox } from './types.ts'

export interface BackgroundState {
  /** What came since the last look, its middle cut when it is too much. */
  readonly output: string
  /** Set when the command has ended. */
  readonly result: CommandResult | undefined
}

export interface BackgroundCommand {
  /** 1, 2, 3 … in a session. */
  readonly id: number
  readonly line: string
  /** What came since the last look. Waits up to `seconds` for something to come or for the end. */
  read(seconds?: number): Promise<BackgroundState>
  /** Asks it to end, then ends it; its whole process tree is gone afterwards. */
  stop(): Promise<CommandResult>
}

/** As many may run at once; each holds a process namespace. */
const MAX_RUNNING = 8

/** The background commands of a session. A class because it lives as long as they do. */
export class BackgroundCommands {
  readonly #sandbox: Sandbox
  readonly #commands = new Map<number, BackgroundCommand & { readonly ended: () => boolean }>()
  #next = 1

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox
  }

  /** All that were started, ended or not. */
  get all(): readonly BackgroundCommand[] {
    return [...this.#commands.values()]
  }

  get(id: number): BackgroundCommand | undefined {
    return this.#commands.get(id)
  }

  /**
   * Starts one. Its loopback is that of all later commands, so that a server is reached by them. Without a time limit
   * of its own; the memory limit holds. Rejects with SandboxError when the sandbox cannot be made, and with RangeError
   * when too many run.
   */
  async start(command: Command, options: Omit<RunOptions, 'onOutput'>): Promise<BackgroundCommand> {
    const running = [...this.#commands.values()].filter((each) => !each.ended())
    if (running.length >= MAX_RUNNING) {
      throw new RangeError(`${MAX_RUNNING} commands run in the background already; stop one first.`)
    }
    const started = await launch(this.#sandbox, command, options, this.#next)
    this.#next++
    this.#commands.set(started.id, started)
    return started
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    await Promise.all([...this.#commands.values()].map((each) => each.stop()))
  }
}

async function launch(sandbox: Sandbox, command: Command, options: Omit<RunOptions, 'onOutput'>, id: number) {
  const { limits } = options
  const abort = new AbortController()
  const signal = AbortSignal.any([abort.signal, options.signal])
  let unread = new OutputBuffer(limits.outputBytes)
  let result: CommandResult | undefined
  let wake: () => void = () => undefined
  const begun = Promise.withResolvers<void>()
  const run = sandbox.run(command, {
    ...options,
    signal,
    background: true,
    limits: { ...limits, seconds: Number.POSITIVE_INFINITY },
    onStart: begun.resolve,
    onOutput: (text) => {
      unread.push(Buffer.from(text))
      wake()
    },
  })
  let started = false
  const ended = run.then(settle, (error: unknown) => {
    if (!started) throw error
    // Its set-up failed after its first process was there: an end like any other.
    const output = error instanceof Error ? error.message : String(error)
    return settle({ outcome: 'exited', exitCode: 126, output, outputBytes: 0, truncated: false, seconds: 0 })
  })
  function settle(end: CommandResult): CommandResult {
    result = end
    wake()
    return end
  }
  await Promise.race([begun.promise, ended])
  started = true
  return {
    id,
    line: command.line,
    ended: () => result !== undefined,
    async read(seconds = 0): Promise<BackgroundState> {
      if (unread.total === 0 && result === undefined && seconds > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, seconds * 1000)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      const output = unread.finish().text
      unread = new OutputBuffer(limits.outputBytes)
      return { output, result }
    },
    stop(): Promise<CommandResult> {
      abort.abort()
      return ended
    },
  }
}
