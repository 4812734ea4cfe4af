/** The embedded engine: checks the model, starts the host, and starts it again when it dies. */
import { type Engine, EngineError, type EngineInfo, type EngineOptions, type Sequence } from '../engine.ts'
import { defaultCheckpointBytes, type OpenRequest } from '../host/protocol.ts'
import { busyNotices } from './busy.ts'
import { explainLoad } from './explain.ts'
import { HostProcess } from './host-process.ts'
import { checkModel } from './preflight.ts'
import { EmbeddedSequence, type SequenceHome } from './sequence.ts'

/**
 * Opens a model with the embedded engine, in a child process.
 * @throws EngineError whose message names the fix; see EngineErrorKind
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { architecture, identity, sequences, rollbackTokens } = await checkModel(options)
  const request: OpenRequest = {
    op: 'open',
    file: options.file,
    identity,
    architecture,
    contextTokens: options.contextTokens,
    sequences,
    threads: options.threads,
    gpuLayers: options.gpuLayers,
    cpuExperts: options.cpuExperts ?? false,
    kvType: options.kvType ?? 'f16',
    adapter: options.adapter === undefined ? undefined : { file: options.adapter, scale: options.adapterScale ?? 1 },
    checkpointBytes: options.checkpointBytes ?? defaultCheckpointBytes,
    rollbackTokens,
  }
  const engine = new EmbeddedEngine(options, request)
  try {
    await engine.host(options.signal)
    return engine
  } catch (error) {
    await engine.close()
    throw error
  }
}

class EmbeddedEngine implements Engine, SequenceHome {
  readonly #options: EngineOptions
  readonly #request: OpenRequest
  readonly #slots: boolean[]
  /** A host that starts or runs. */
  #host: Promise<HostProcess> | undefined
  /** The same, once it runs with the model loaded. */
  #process: HostProcess | undefined
  #starts = 0
  #closed = false
  #info: EngineInfo | undefined
  readonly #threadsChanged = busyNotices((text) => this.notice(text))

  constructor(options: EngineOptions, request: OpenRequest) {
    this.#options = options
    this.#request = request
    this.#slots = Array.from({ length: request.sequences }, () => false)
  }

  get info(): EngineInfo {
    if (!this.#info) throw new EngineError('misuse', 'the engine is not open yet')
    return this.#info
  }

  async tokenize(text: string, { control }: { readonly control: boolean }): Promise<number[]> {
    const host = await this.host()
    return Array.from(await host.request({ op: 'tokenize', text, control }))
  }

  async sequence(): Promise<Sequence> {
    return new EmbeddedSequence(this, this.takeSlot())
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#host?.catch(() => undefined /* it never started: nothing to end */)
    await this.#process?.kill()
  }

  /** The running host; a new one with the model loaded when there is none. One start at a time. */
  host(signal?: AbortSignal): Promise<HostProcess> {
    if (this.#closed) return Promise.reject(new EngineError('misuse', 'the engine is closed'))
    if (this.#process && !this.#process.alive) {
      this.#process = undefined
      this.#host = undefined
    }
    this.#host ??= this.#start(signal).catch((error) => {
      this.#host = undefined
      throw error
    })
    return this.#host
  }

  takeSlot(): number {
    const slot = this.#slots.indexOf(false)
    if (slot < 0)
      throw new EngineError('misuse', `at most ${this.#slots.length} sequences can live at once: close one first`)
    this.#slots[slot] = true
    return slot
  }

  releaseSlot(slot: number): void {
    this.#slots[slot] = false
  }

  notice(text: string): void {
    this.#options.onNotice?.(text)
  }

  async #start(signal?: AbortSignal): Promise<HostProcess> {
    const { file, onLoad } = this.#options
    if (this.#starts++ > 0) this.notice('The engine ended unexpectedly; it is started again and the context restored.')
    const host = await HostProcess.start(this.#threadsChanged)
    try {
      const opened = await host.request(this.#request, { onProgress: (done) => onLoad?.(done) }, signal)
      this.#info = {
        libraryVersion: opened.libraryVersion,
        architecture: this.#request.architecture,
        vocabularySize: opened.vocabularySize,
        contextTokens: opened.contextTokens,
        rewind: opened.rewind,
        identity: this.#request.identity,
        stateKey: opened.stateKey,
      }
      this.#process = host
      return host
    } catch (error) {
      await host.kill()
      throw explainLoad(error, host.log, file)
    }
  }
}
