/** Any OpenAI-compatible chat endpoint with tools and streaming: DeepSeek, vLLM, SGLang, llama-server, Ollama … */

import { chooseEffort, type Effort } from '../dialects/index.ts'
import type { Segment } from '../messages.ts'
import type { Model, ModelInfo, Sampling } from '../model.ts'
import { callIds } from '../session/reply.ts'
import { estimateTokens } from '../session/usage.ts'
import { withPictures } from './pictures.ts'
import { isPeak, type Price, type RemotePreset } from './presets.ts'
import type { RetryLimits } from './retry.ts'
import { type RemoteState, remoteSession } from './session.ts'

export interface RemoteOptions {
  /** Up to and with the version, as in `http://127.0.0.1:8080/v1`. Nothing is ever sent to another place. */
  readonly baseUrl: string
  readonly model: string
  /** None for servers that want none, as on this machine or in the local network. */
  readonly apiKey?: string | undefined
  /** The variable that the key comes from: what messages name. */
  readonly apiKeyEnv?: string | undefined
  /** Context length where it is known; servers do not tell. */
  readonly contextTokens?: number
  readonly finishes?: ModelInfo['finishes']
  readonly prompt?: ModelInfo['prompt']
  /** Whether the model takes pictures; servers do not tell. */
  readonly vision?: boolean
  /** Temperature, top-p and seed are sent when they are given; the rest is the server's. */
  readonly sampling?: Partial<Sampling>
  /** What this server wants besides the common protocol. */
  readonly preset?: RemotePreset
  /** What the server takes; default: as the preset says of its own server. */
  readonly price?: Price | undefined
  /** How much the model thinks; only with a preset, because every server is asked in another way. */
  readonly effort?: Effort | undefined
  /** Silence after which the server counts as dead; 180, and at most 290 (Node's fetch gives up at 300). */
  readonly idleSeconds?: number
  /** Default: four more tries, a minute of waiting in all. */
  readonly retries?: RetryLimits
}

/** A base URL or key that cannot be used; `message` says what to write instead and never holds the key. */
export class RemoteSetupError extends Error {
  override readonly name = 'RemoteSetupError'
}

/** Connects to nothing yet. Throws RemoteSetupError, and EffortError for an effort that the preset lacks. */
export function openRemote(options: RemoteOptions): Model {
  const base = readBaseUrl(options.baseUrl)
  const apiKey = options.apiKey?.trim()
  if (apiKey !== undefined && !/^[\x21-\x7e]*$/.test(apiKey)) {
    throw new RemoteSetupError(
      'The API key holds characters that no key has (spaces, line breaks or letters with accents). Set it again.',
    )
  }
  const wanted = options.effort ?? options.preset?.usual
  const state: RemoteState = {
    info: {
      name: options.model,
      place: 'remote',
      dialect: 'openai',
      ...(wanted !== undefined && { effort: wanted }),
      contextTokens: options.contextTokens,
      rewind: 'none',
      finishes: options.finishes ?? 'words',
      prompt: options.prompt ?? 'full',
      vision: options.vision ?? false,
    },
    url: `${base.origin}${base.path}/chat/completions${base.search}`,
    place: {
      shown: `${base.origin}${base.path}`,
      model: options.model,
      apiKey: apiKey === '' ? undefined : apiKey,
      apiKeyEnv: options.apiKeyEnv,
    },
    sampling: options.sampling ?? {},
    fields: thinkingFields(options),
    reasoning: options.preset?.reasoning ?? 'calls',
    price: (at) => options.price ?? priceAt(options, at),
    idleSeconds: Math.min(options.idleSeconds ?? 180, 290),
    retries: options.retries ?? { count: 4, seconds: 60 },
    habits: { completionTokens: false, streamUsage: true },
  }
  return {
    info: state.info,
    countTokens: async (text) => estimateTokens(text),
    start: async (prefix: readonly Segment[]) => {
      const messages = prefix.flatMap((segment) => segment.messages)
      const ids = callIds()
      ids.seen(messages)
      return remoteSession(state, messages, ids, await withPictures(new Map(), messages))
    },
    close: async () => undefined,
  }
}

/** Only where the preset's own server is asked: another one under the same preset has its own prices. */
function priceAt({ preset, model, baseUrl }: RemoteOptions, at: Date): Price | undefined {
  const price = preset?.baseUrl === baseUrl ? preset?.prices[model] : undefined
  if (price === undefined || !isPeak(at)) return price
  return { hit: 2 * price.hit, miss: 2 * price.miss, output: 2 * price.output }
}

function thinkingFields({ preset, effort, contextTokens }: RemoteOptions): Readonly<Record<string, unknown>> {
  if (preset === undefined) {
    if (effort === undefined) return {}
    throw new RemoteSetupError(
      'How to ask this server for an effort is not known. Name its kind with --preset (cachalot remote lists them).',
    )
  }
  const { name, levels, usual } = preset
  const wanted = effort ?? usual
  if (wanted === undefined) return {}
  return preset.thinking(chooseEffort({ dialect: name, levels, usual: wanted, longMax: true }, effort, contextTokens))
}

function readBaseUrl(text: string): { readonly origin: string; readonly path: string; readonly search: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new RemoteSetupError(
      `The base URL has to begin with http:// or https://, as in http://127.0.0.1:8080/v1 (given: ${text.slice(0, 100)}).`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new RemoteSetupError('The base URL may hold no user name or password. Give the key with --api-key-env NAME.')
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/chat\/completions$/, '')
  return { origin: url.origin, path, search: url.search }
}
