/** What went wrong in the engine, as a failure in the stream. */
import { EngineError, type EngineErrorKind } from '../engine.ts'
import type { ModelFailure } from '../model.ts'

const kinds: Readonly<Record<EngineErrorKind, Pick<ModelFailure, 'kind' | 'retryable'>>> = {
  'file-missing': { kind: 'internal', retryable: false },
  'not-gguf': { kind: 'internal', retryable: false },
  truncated: { kind: 'internal', retryable: false },
  architecture: { kind: 'internal', retryable: false },
  memory: { kind: 'out-of-memory', retryable: false },
  'context-too-long': { kind: 'context-full', retryable: false },
  'context-full': { kind: 'context-full', retryable: false },
  'library-missing': { kind: 'internal', retryable: false },
  'library-layout': { kind: 'internal', retryable: false },
  'bad-state': { kind: 'internal', retryable: true },
  died: { kind: 'engine-died', retryable: true },
  aborted: { kind: 'internal', retryable: true },
  misuse: { kind: 'internal', retryable: false },
}

export function failureOf(error: unknown): ModelFailure {
  if (error instanceof EngineError) return { ...kinds[error.kind], message: error.message }
  const message = error instanceof Error ? error.message : String(error)
  return { kind: 'internal', message: `The engine failed: ${message}`, retryable: false }
}

export function contextFull(tokens: number, contextTokens: number): ModelFailure {
  return {
    kind: 'context-full',
    message:
      `The conversation needs ${tokens} tokens and the context holds ${contextTokens}. ` +
      'Start a new session, name fewer files, or open the model with a longer context.',
    retryable: false,
  }
}

/** Whether it is the engine's own error of that kind. */
export function isKind(error: unknown, kind: EngineError['kind']): boolean {
  return error instanceof EngineError && error.kind === kind
}
