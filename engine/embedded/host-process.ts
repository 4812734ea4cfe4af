/** One running engine host: starts it, asks it, notices when it is gone. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { EngineError } from '../engine.ts'
import {
  type Answers,
  type Failure,
  type FromHost,
  logMark,
  type Operation,
  protocolVersion,
  type ToHost,
  type TokensEvent,
} from '../host/protocol.ts'
import { explainDeath } from './explain.ts'
import { HostFailure } from './failure.ts'
import { makeStopFile } from './stop-file.ts'

/** In the sources the host is a neighbour; in the bundle it is an entry of its own, beside this chunk. */
const entry = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../host/main.ts' : './engine-host.js', import.meta.url),
)

/** Characters of the library's log that are kept. */
const logLimit = 32_000
/** The library's last words may come later than the answer they belong to (ms). */
const logPatience = 500
/** Ms until a fresh host must have said hello: a loaded machine is slow. */
const helloPatience = 30_000

export interface Listener {
  onProgress?(done: number): void
  onTokens?(event: TokensEvent): void
}

interface Pending extends Listener {
  resolve(value: Answers[keyof Answers]): void
  reject(error: Error): void
}

export class HostProcess {
  readonly #child: ChildProcess
  readonly #stop = makeStopFile()
  readonly #pending = new Map<number, Pending>()
  readonly #onThreads: (threads: number, most: number) => void
  readonly #exited: Promise<void>
  #log = ''
  #onLog: (() => void)[] = []
  #nextId = 1
  #dead: EngineError | undefined
  #hello: ((protocol: number) => void) | undefined

  private constructor(onThreads: (threads: number, most: number) => void) {
    this.#onThreads = onThreads
    const env: NodeJS.ProcessEnv = { ...process.env, GGML_NO_BACKTRACE: '1' }
    // The first would load a foreign library, the second foreign code, the third writes files.
    for (const name of ['GGML_BACKEND_PATH', 'NODE_OPTIONS', 'NODE_V8_COVERAGE']) delete env[name]
    this.#child = fork(entry, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', this.#stop.descriptor ?? 'ignore'],
      execArgv: [],
      env,
      // A session of its own: Ctrl-C in the terminal is for us to handle, not for it to die of.
      detached: process.platform !== 'win32',
    })
    this.#exited = new Promise((resolve) => {
      this.#child.on('error', (error) => this.#die(`it could not be started: ${error.message}`, resolve))
      this.#child.on('exit', (code, signal) => this.#die(explainDeath(code, signal, this.#log), resolve))
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#read(text))
      // Our own process may end while the host idles.
      if (stream && 'unref' in stream && typeof stream.unref === 'function') stream.unref()
    }
    this.#child.on('message', (message: FromHost) => this.#receive(message))
    this.#child.unref()
  }

  /** Starts a host. Rejects with EngineError. */
  static async start(onThreads: (threads: number, most: number) => void): Promise<HostProcess> {
    const host = new HostProcess(onThreads)
    let timer: NodeJS.Timeout | undefined
    const protocol = await Promise.race([
      new Promise<number>((resolve) => {
        host.#hello = resolve
      }),
      host.#exited.then(() => undefined),
      new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), helloPatience)
      }),
    ])
    clearTimeout(timer)
    if (protocol === protocolVersion) {
      host.#idle()
      return host
    }
    host.kill()
    if (host.#dead && protocol === undefined) throw host.#dead
    throw new EngineError(
      'died',
      protocol === undefined
        ? 'the engine host does not answer. Try again'
        : `the engine host is of another version (protocol ${protocol}, expected ${protocolVersion}). Run: npm ci && npm run build`,
    )
  }

  get alive(): boolean {
    return this.#dead === undefined
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** The library's latest log lines: the causes of failures stand only there. */
  get log(): string {
    return this.#log
  }

  /**
   * Asks for an operation. The signal asks the host to stop; the promise still settles with the host's answer, so that
   * what is left in the sequence is known.
   */
  async request<O extends Operation>(
    operation: O,
    listener: Listener = {},
    signal?: AbortSignal,
  ): Promise<Answers[O['op']]> {
    if (this.#dead) throw this.#dead
    const id = this.#nextId++
    const abort = () => {
      // In this order: what stops then finds the message.
      this.#send({ type: 'abort', id })
      this.#stop.raise()
    }
    const answer = new Promise<Answers[keyof Answers]>((resolve, reject) => {
      this.#pending.set(id, { ...listener, resolve, reject })
    })
    this.#child.channel?.ref()
    // The channel of a killed host closes before its exit is told: without this our process could end in between.
    this.#child.ref()
    this.#send({ type: 'request', id, operation })
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      // The host answers an operation with that operation's answer: both ends are one build.
      return (await answer) as Answers[O['op']]
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#pending.delete(id)
      this.#idle()
    }
  }

  /** Ends the host now. Nothing it holds needs to be put away. */
  kill(): Promise<void> {
    this.#child.ref()
    this.#child.kill('SIGKILL')
    return this.#exited
  }

  #send(message: ToHost): void {
    // When the channel is closed the host is gone, and 'exit' settles what waits.
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }

  /** Without anything to wait for, the channel keeps nobody alive. */
  #idle(): void {
    if (this.#pending.size > 0) return
    this.#child.channel?.unref()
    this.#child.unref()
  }

  #read(text: string): void {
    this.#log = (this.#log + text).slice(-logLimit)
    for (const look of this.#onLog) look()
  }

  #receive(message: FromHost): void {
    switch (message.type) {
      case 'hello':
        this.#hello?.(message.protocol)
        return
      case 'progress':
        this.#pending.get(message.id)?.onProgress?.(message.done)
        return
      case 'tokens':
        this.#pending.get(message.id)?.onTokens?.(message)
        return
      case 'threads':
        this.#onThreads(message.threads, message.most)
        return
      case 'answer':
        this.#pending.get(message.id)?.resolve(message.value)
        return
      case 'failure':
        void this.#fail(message.id, message.failure)
        return
      default:
        message satisfies never
    }
  }

  /** Waits for the log that led to a failure, then tells it. */
  async #fail(id: number, failure: Failure): Promise<void> {
    const mark = logMark(id)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, logPatience)
      const look = () => {
        if (!this.#log.includes(mark)) return
        this.#log = this.#log.replace(mark, '')
        clearTimeout(timer)
        resolve()
      }
      this.#onLog.push(look)
      look()
      void this.#exited.then(resolve)
    })
    this.#onLog = []
    this.#pending.get(id)?.reject(new HostFailure(failure))
  }

  #die(why: string, resolve: () => void): void {
    this.#dead ??= new EngineError('died', `the engine host ended: ${why}. It is started again with the next request`)
    for (const { reject } of this.#pending.values()) reject(this.#dead)
    this.#pending.clear()
    this.#stop.close()
    resolve()
  }
}
