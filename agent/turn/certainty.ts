/** How sure a model was of what it said: the mean log-probability of its tokens, over all replies of an attempt. */
export class Certainty {
  #sum = 0
  #count = 0

  /** @param logprob natural logarithm of the probability of one sampled token */
  add(logprob: number): void {
    this.#sum += logprob
    this.#count += 1
  }

  /** Undefined where nothing was told: remote models, and those that said nothing. */
  get mean(): number | undefined {
    return this.#count === 0 ? undefined : this.#sum / this.#count
  }
}
