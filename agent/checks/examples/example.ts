/** What code should do, as somebody has written it. */
export interface Example {
  /** An expression or statement of the language. For `pair`: what stands after `Input:`. */
  readonly source: string
  /** What stands where the result belongs, as it was written; empty for a statement that only prepares. */
  readonly want: string
  /**
   * `prompt`: `>>> f(1)`, its output below. `call`: `f(1) -> 2` and its like. `pair`: `Input: 1`, `Output: 2`, without the
   * function's name. Of the assertions of a test: `assertion`, whose `want` is an expression that is worth what the source is;
   * `bag`, the same in any order; `runs`, that it ends without an error; `raises`, that it ends with the one that `want` names,
   * with its message after a colon where that is asked for.
   */
  readonly kind: 'prompt' | 'call' | 'pair' | 'assertion' | 'bag' | 'runs' | 'raises'
}
