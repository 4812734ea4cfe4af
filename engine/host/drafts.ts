/**
 * Copy speculation: much of what a coding model says stands in its context already. What followed there is drafted and
 * evaluated with the next token in one batch; what the model would not have said is dropped. The text stays the same;
 * only how long a draft pays is guessed here, from what batches have cost and how often copies have held.
 */
import { type Found, longestMatch, type TokenHistory } from './history.ts'

/** Tokens in a batch: matrix kernels on a CPU work on four rows, so sizes between cost as much as the next of these. */
const sizes = [1, 2, 4, 8, 12, 16] as const
/** What each token more costs, as part of the first, until it was measured (two cores, 1.5B: 16 tokens cost 7.8). */
const priorSlope = 0.45
/** Weight of a new measurement of a cost: other programs only ever make us slower, so what is fast is the truer. */
const costRate = { faster: 0.5, slower: 0.1 }
/** Each token by itself brings what is believed of the others this much nearer to the prior: a bad moment is forgotten. */
const forget = 0.002
/** A draft must promise this much. */
const margin = 1.05
/**
 * Tokens before that must be the same for the first draft where all rows are those of single tokens. What a draft leaves
 * must be written again at the first doubtful pick (mixed-rows.ts), so a phrase that comes twice is not worth one: in free
 * text about each eighth pick is doubtful, in a file that is copied hardly any.
 */
const firstMatch = 24

const nearer = (before: number, found: number): number =>
  before + (found < before ? costRate.faster : costRate.slower) * (found - before)

/** How long batches take, relative to one token. Learned for each model while it works. */
export class BatchCosts {
  #single = 0
  readonly #relative = sizes.map((size) => 1 + priorSlope * (size - 1))

  /** Tells what a batch of so many tokens took. */
  observe(tokens: number, ms: number): void {
    const i = sizes.findIndex((size) => size >= tokens)
    if (i < 0) return
    if (i === 0) {
      this.#single = this.#single === 0 ? ms : nearer(this.#single, ms)
      for (let j = 1; j < sizes.length; j++)
        this.#relative[j] = (this.#relative[j] ?? 1) * (1 - forget) + (1 + priorSlope * ((sizes[j] ?? 1) - 1)) * forget
    } else if (this.#single > 0) {
      // Tokens together never cost more than each by itself: what does was disturbed.
      const found = Math.min(tokens, Math.max(1, ms / this.#single))
      this.#relative[i] = nearer(this.#relative[i] ?? 1, found)
    }
  }

  /** Cost of a batch in single tokens. */
  of(tokens: number): number {
    const i = sizes.findIndex((size) => size >= tokens)
    return i < 0 ? Number.POSITIVE_INFINITY : (this.#relative[i] ?? Number.POSITIVE_INFINITY)
  }

  /** For reports: cost by number of tokens. */
  get table(): ReadonlyMap<number, number> {
    return new Map(sizes.map((size, i) => [size, this.#relative[i] ?? 1]))
  }
}

/** How likely the next token is the copied one, by the length of the match: learned also where nothing was drafted. */
export class CopyOdds {
  readonly #odds = [0.5, 0.65, 0.8, 0.9, 0.95]

  static #kind(match: number): number {
    return match < 5 ? 0 : match < 8 ? 1 : match < 16 ? 2 : match < longestMatch ? 3 : 4
  }

  of(match: number): number {
    return this.#odds[CopyOdds.#kind(match)] ?? 0
  }

  observe(match: number, held: boolean): void {
    const kind = CopyOdds.#kind(match)
    const before = this.#odds[kind] ?? 0
    this.#odds[kind] = before + ((held ? 1 : 0) - before) / 16
  }
}

/** What a first draft may lose at the start, and what is remembered of gains, in single tokens. */
const credit = { first: 64, most: 256 }
/** What each token by itself adds: so much of all time may be lost to finding out whether drafts pay again. */
const allowance = 0.03

/** Whether drafts have saved more than was spent on writing their rows again. Learned for each model while it works. */
export class Payoff {
  #tokens: number = credit.first

  get pays(): boolean {
    return this.#tokens > 0
  }

  /** @param tokens that were saved, in the time of single ones; negative: lost */
  add(tokens: number): void {
    this.#tokens = Math.min(credit.most, this.#tokens + tokens)
  }
}

/** The drafts of one reply. */
export class Drafts {
  drafted = 0
  accepted = 0
  readonly #history: TokenHistory
  readonly #hints: TokenHistory | undefined
  readonly #costs: BatchCosts
  readonly #odds: CopyOdds
  readonly #payoff: Payoff
  #found: Found | undefined

  /** @param hints a text that may be copied besides what is in the sequence */
  constructor(
    history: TokenHistory,
    hints: TokenHistory | undefined,
    learned: { readonly costs: BatchCosts; readonly odds: CopyOdds; readonly payoff: Payoff },
  ) {
    this.#history = history
    this.#hints = hints
    this.#costs = learned.costs
    this.#odds = learned.odds
    this.#payoff = learned.payoff
  }

  /**
   * Tokens to evaluate after `last` in the same batch; none where that does not pay.
   * @param exact whether all rows are those of single tokens yet
   */
  propose(last: number, most: number, exact: boolean): readonly number[] {
    const tail = this.#history.tail(last)
    const ours = this.#history.find(tail, longestMatch)
    const theirs = this.#hints?.find(tail, longestMatch)
    this.#found = theirs && theirs.match > (ours?.match ?? 0) ? theirs : ours
    if (!this.#found) return []
    const { tokens, match } = this.#found
    if (exact && (match < firstMatch || !this.#payoff.pays)) return []
    let best = 0
    let gain = margin
    let held = 1
    let expected = 1
    for (let length = 1; length <= Math.min(tokens.length, most); length++) {
      held *= this.#odds.of(match + length - 1)
      expected += held
      const promise = expected / this.#costs.of(length + 1)
      if (promise > gain) {
        gain = promise
        best = length
      }
    }
    return tokens.slice(0, best)
  }

  /** Tells what the model said: the drafts that held, and the one token after them. */
  learn(drafted: number, said: readonly number[]): void {
    this.#payoff.add(drafted === 0 ? allowance : said.length - this.#costs.of(drafted + 1))
    if (!this.#found) return
    const { tokens, match } = this.#found
    for (let i = 0; i < Math.min(said.length, tokens.length); i++) {
      const held = said[i] === tokens[i]
      this.#odds.observe(match + i, held)
      if (!held) break
    }
    this.drafted += drafted
    // The last of what was said was not in the batch, or refuted what was.
    let accepted = 0
    while (accepted < Math.min(drafted, said.length) && said[accepted] === tokens[accepted]) accepted++
    this.accepted += accepted
    this.#found = undefined
  }

  /** Tells how many rows were written again. */
  rewritten(rows: number): void {
    this.#payoff.add(-rows)
  }
}
