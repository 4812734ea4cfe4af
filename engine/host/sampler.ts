/** Picks the next token from the logits of a decoded position. */
import koffi from 'koffi'
import { EngineError } from '../engine.ts'
import type { Sampling } from '../model.ts'
import type { Pointer } from './layout.ts'
import type { Library } from './library.ts'

/** Tokens back that the repeat penalty looks at: of the reply only, so that copying from the prompt stays free. */
const penaltyWindow = 64

/** The last token's logits, in the library's own memory. Valid until the next decode. */
export class Logits {
  readonly #library: Library
  readonly #context: Pointer
  readonly #vocabulary: number
  #address: Pointer | undefined
  #view = new Float32Array(0)

  constructor(library: Library, context: Pointer, vocabulary: number) {
    this.#library = library
    this.#context = context
    this.#vocabulary = vocabulary
  }

  read(): Float32Array {
    const address = this.#library.call.logits(this.#context, -1)
    // Sampling without logits would end the process.
    if (address === null) throw new EngineError('misuse', 'there are no logits: nothing was evaluated for sampling')
    if (address !== this.#address) {
      this.#view = new Float32Array(koffi.view(address, this.#vocabulary * 4))
      this.#address = address
    }
    return this.#view
  }
}

export interface Sampler {
  /** Picks a token after the last decoded position. */
  pick(logits: Logits): number
  free(): void
}

function argmax(values: Float32Array): number {
  let best = 0
  let most = values[0] ?? 0
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number
    if (value > most) {
      most = value
      best = i
    }
  }
  return best
}

/** log-softmax of one token. Terms below e⁻¹⁶ of the greatest are left out: they cannot be seen in the sum. */
export function logProbability(logits: Float32Array, token: number): number {
  const most = logits[argmax(logits)] ?? 0
  const floor = most - 16
  let sum = 0
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i] as number
    if (value > floor) sum += Math.exp(value - most)
  }
  return (logits[token] ?? 0) - most - Math.log(sum)
}

/** Refuses settings that the library would assert on, then builds the sampler. */
export function makeSampler(library: Library, context: Pointer, vocabulary: number, sampling: Sampling): Sampler {
  check(sampling)
  const { temperature, topK, topP, minP, repeatPenalty, seed } = sampling
  const greedy = temperature === 0
  if (greedy && repeatPenalty === 1)
    return { pick: (logits) => argmax(logits.read()), free: () => undefined /* nothing native is held */ }
  const { call } = library
  const chain = call.chainNew({ no_perf: true })
  const add = (sampler: Pointer) => call.chainAdd(chain, sampler)
  if (repeatPenalty !== 1) add(call.penaltySampler(vocabulary, penaltyWindow, repeatPenalty, 0, 0))
  if (greedy) add(call.greedySampler())
  else {
    if (topK > 0) add(call.topKSampler(topK))
    if (topP < 1) add(call.topPSampler(topP, 1))
    if (minP > 0) add(call.minPSampler(minP, 1))
    add(call.temperatureSampler(temperature))
    add(call.seededSampler(seed >>> 0))
  }
  return {
    pick: (logits) => {
      logits.read()
      return call.sample(chain, context, -1)
    },
    free: () => call.samplerFree(chain),
  }
}

function check({ temperature, topK, topP, minP, repeatPenalty, seed }: Sampling): void {
  const wrong = !(temperature >= 0 && temperature <= 100)
    ? `temperature ${temperature} is not in 0..100`
    : !(topP > 0 && topP <= 1)
      ? `topP ${topP} is not in 0..1`
      : !(minP >= 0 && minP < 1)
        ? `minP ${minP} is not in 0..1`
        : !(Number.isInteger(topK) && topK >= 0 && topK < 2 ** 31)
          ? `topK ${topK} is not a whole number`
          : !(repeatPenalty > 0 && repeatPenalty <= 10)
            ? `repeatPenalty ${repeatPenalty} is not in 0..10`
            : !Number.isInteger(seed)
              ? `seed ${seed} is not a whole number`
              : undefined
  if (wrong) throw new EngineError('misuse', `a sampling setting is out of range: ${wrong}`)
}
