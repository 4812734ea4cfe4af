/** The host's side of the protocol: one model, one context, requests in, answers out. */
import { writeSync } from 'node:fs'
import { EngineError } from '../engine.ts'
import { Context } from './context.ts'
import { listDevices, readBandwidth } from './devices.ts'
import { generate } from './generate.ts'
import { type Library, loadLibrary } from './library.ts'
import { findLibraryFolder } from './library-folder.ts'
import { loadModel } from './model.ts'
import {
  type Answers,
  type Failure,
  type FromHost,
  logMark,
  type OpenRequest,
  type Operation,
  type ToHost,
} from './protocol.ts'
import { score } from './score.ts'
import { loadState, saveState } from './state.ts'

/** Progress of a load is told in steps of this much. */
const loadStep = 0.01

interface Open {
  readonly context: Context
  /** What a saved state depends on. */
  readonly stateKey: string
}

/** Serves requests until the process ends. `send` must not throw. */
export function serve(send: (message: FromHost) => void): (message: ToHost) => void {
  const running = new Map<number, AbortController>()
  let opened: Open | undefined

  const open = (): Open => {
    if (!opened) throw new EngineError('misuse', 'no model is open')
    return opened
  }
  const at = (slot: number, length: number): Context => {
    const { context } = open()
    const found = context.length(slot)
    if (found !== length) throw new EngineError('misuse', `sequence ${slot} holds ${found} tokens and not ${length}`)
    return context
  }

  async function openModel(id: number, request: OpenRequest, signal: AbortSignal): Promise<Answers['open']> {
    if (opened) throw new EngineError('misuse', 'a model is open already')
    const library: Library = loadLibrary(findLibraryFolder())
    let told = 0
    const model = await loadModel(library, {
      file: request.file,
      architecture: request.architecture,
      gpuLayers: request.gpuLayers,
      cpuExperts: request.cpuExperts,
      adapter: request.adapter,
      signal,
      onProgress: (fraction) => {
        if (fraction < told + loadStep && fraction < 1) return
        told = fraction
        send({ type: 'progress', id, done: fraction })
      },
    })
    const context = await Context.create(library, model, {
      contextTokens: request.contextTokens,
      sequences: request.sequences,
      threads: request.threads,
      kvType: request.kvType,
      checkpointBytes: request.checkpointBytes,
      rollbackTokens: request.rollbackTokens,
      onThreads: (threads, most) => send({ type: 'threads', threads, most }),
    })
    // Of a rollback the state keeps planes of its own.
    const rollback = request.rollbackTokens > 0 ? ` rollback ${request.rollbackTokens}` : ''
    const stateKey = `${request.identity} llama.cpp ${library.version} ${request.kvType}${rollback}`
    opened = { context, stateKey }
    return {
      libraryVersion: library.version,
      vocabularySize: model.vocabulary.size,
      contextTokens: context.sequenceTokens,
      rewind: model.rewind,
      stateKey,
    }
  }

  async function run(id: number, operation: Operation, signal: AbortSignal): Promise<Answers[keyof Answers]> {
    switch (operation.op) {
      case 'open':
        return openModel(id, operation, signal)
      case 'tokenize':
        return open().context.model.vocabulary.tokenize(operation.text, operation.control)
      case 'prefill': {
        const context = at(operation.slot, operation.length)
        const { slot, tokens, checkpoints } = operation
        await context.prefill(slot, tokens, {
          ...{ checkpoints, signal },
          onProgress: (done) => send({ type: 'progress', id, done }),
        })
        return { length: context.length(operation.slot) }
      }
      case 'generate': {
        const context = at(operation.slot, operation.length)
        const ended = await generate(context, id, operation, signal, send)
        return { length: context.length(operation.slot), ...ended }
      }
      case 'score': {
        const context = at(operation.slot, operation.length)
        const scored = await score(context, operation, signal)
        return { length: context.length(operation.slot), ...scored }
      }
      case 'rewind':
        return { length: await open().context.rewind(operation.slot, operation.length) }
      case 'checkpoint': {
        const { context } = open()
        await context.inTurn(() => context.slots.checkpoint(operation.slot, 'now'))
        return { length: context.length(operation.slot) }
      }
      case 'fork': {
        const { context } = open()
        await context.inTurn(async () => context.slots.fork(operation.from, operation.to))
        return { length: context.length(operation.to) }
      }
      case 'save': {
        const context = at(operation.slot, operation.tokens.length)
        return { bytes: await saveState(context, operation.slot, operation.tokens, open().stateKey, operation.file) }
      }
      case 'load':
        return { tokens: await loadState(open().context, operation.slot, open().stateKey, operation.file) }
      case 'devices':
        return listDevices(loadLibrary(findLibraryFolder()))
      case 'bandwidth':
        return { bytesPerSecond: await readBandwidth(operation.ms, operation.threads) }
      default:
        return operation satisfies never
    }
  }

  /** The slot an operation changes. */
  function failureOf(error: unknown, operation: Operation): Failure {
    const failure =
      error instanceof EngineError
        ? { kind: error.kind, message: error.message }
        : { kind: 'misuse' as const, message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    const slot = 'slot' in operation ? operation.slot : undefined
    if (!opened || slot === undefined) return failure
    try {
      return { ...failure, length: opened.context.length(slot) }
    } catch {
      return failure // The slot itself was what was wrong.
    }
  }

  async function answer(id: number, operation: Operation): Promise<void> {
    const controller = new AbortController()
    running.set(id, controller)
    try {
      const value = await run(id, operation, controller.signal)
      send({ type: 'answer', id, value })
    } catch (error) {
      writeSync(2, logMark(id))
      send({ type: 'failure', id, failure: failureOf(error, operation) })
    } finally {
      running.delete(id)
    }
  }

  return (message) => {
    if (message.type === 'abort') running.get(message.id)?.abort()
    else void answer(message.id, message.operation)
  }
}
