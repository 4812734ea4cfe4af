/** Picks the next token from the logits of a decoded position. */
import { EngineError, type Grammar } from '../engine.ts'
import type { Sampling } from '../model.ts'
import { callSampler } from './call-sampler.ts'
import { Candidates, readGrammar } from './grammar.ts'
import type { Pointer } from './layout.ts'
import type { Library } from './library.ts'
import { argmax } from './likely.ts'
import type { Sampler } from './logits.ts'
import { type SurePick, surePick } from './sure.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Tokens back that the repeat penalty looks at: of the reply only, so that copying from the prompt stays free. */
const penaltyWindow = 64
/** log-softmax of one token. */
export const logProbability = (logits: Float32Array, token: number): number => (logits[token] ?? 0) - logSum(logits)

/**
 * What is taken from each logit to make it a log-probability. Terms below e⁻¹⁶ of the greatest are left out: they cannot be
 * seen in the sum.
 */
export function logSum(logits: Float32Array): number {
  const most = logits[argmax(logits)] ?? 0
  const floor = most - 16
  let sum = 0
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i] as number
    if (value > floor) sum += Math.exp(value - most)
  }
  return most + Math.log(sum)
}

export interface SamplerOptions {
  readonly context: Pointer
  readonly vocabulary: Vocabulary
  readonly sampling: Sampling
  readonly grammar?: Grammar
  /** Tokens besides the model's own that end the reply. */
  readonly stopTokens: readonly number[]
}

/** Refuses settings that the library would assert on, then builds the sampler. */
export function makeSampler(library: Library, options: SamplerOptions): Sampler {
  const { context, vocabulary, sampling } = options
  check(sampling)
  const { call } = library
  const chain = makeChain(library, vocabulary.size, sampling)
  const sure = surePick(library, chain, vocabulary.size)
  const freeChain = () => {
    if (chain !== undefined) call.samplerFree(chain)
  }
  const { grammar, stopTokens } = options
  if (grammar) {
    const candidates = new Candidates(library, vocabulary.size)
    const { triggers, gbnf, root = 'root' } = grammar
    if (triggers)
      return callSampler(library, {
        context,
        vocabulary,
        candidates,
        chain,
        sure,
        stopTokens,
        grammar: { ...grammar, triggers },
      })
    const native = readGrammar(library, vocabulary.handle, gbnf, root)
    if (native !== null) return grammarSampler(library, { grammar: native, chain, candidates, sure })
    freeChain()
    throw new EngineError('misuse', `the grammar cannot be read; its beginning: ${gbnf.slice(0, 120)}`)
  }
  return {
    pick(logits, place) {
      const values = logits.read(place)
      return chain === undefined ? argmax(values) : call.sample(chain, context, place)
    },
    sure: (logits, place) => sure(logits.read(place)) !== undefined,
    free: freeChain,
  }
}

/** The chain of the settings; undefined where the most likely token is taken. */
function makeChain(library: Library, vocabulary: number, sampling: Sampling): Pointer | undefined {
  const { temperature, topK, topP, minP, repeatPenalty, seed } = sampling
  const greedy = temperature === 0
  if (greedy && repeatPenalty === 1) return undefined
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
  return chain
}

/** Checks the token that would be picked anyway, and sorts the whole vocabulary only when it is refused. */
function grammarSampler(
  library: Library,
  options: {
    readonly grammar: Pointer
    readonly chain: Pointer | undefined
    readonly candidates: Candidates
    readonly sure: SurePick
  },
): Sampler {
  const { grammar, chain, candidates, sure } = options
  const { call } = library
  const allowed = (token: number) => {
    candidates.one(token)
    candidates.apply(grammar)
    return candidates.firstStands
  }
  const freely = (values: Float32Array) => {
    if (chain === undefined) return argmax(values)
    candidates.all(values)
    candidates.apply(chain)
    return candidates.picked
  }
  return {
    pick(logits, place) {
      const values = logits.read(place)
      let token = freely(values)
      if (!allowed(token)) {
        candidates.all(values)
        candidates.apply(grammar)
        if (chain !== undefined) candidates.apply(chain)
        token = candidates.picked
        // Telling a grammar of a token that it refuses would end the process.
        if (!allowed(token)) throw new EngineError('misuse', 'the grammar allows no token here')
      }
      call.samplerAccept(grammar, token)
      if (chain !== undefined) call.samplerAccept(chain, token)
      return token
    },
    sure(logits, place) {
      const token = sure(logits.read(place))
      return token !== undefined && allowed(token)
    },
    free() {
      call.samplerFree(grammar)
      if (chain !== undefined) call.samplerFree(chain)
    },
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
