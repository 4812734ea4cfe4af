/** How much a model may think before it answers, and what that asks of the context. */

/** `off`: answers at once. The others are the model's own levels; not every dialect has each. */
export type Effort = 'off' | 'low' | 'high' | 'max'

/** A level that a dialect does not have, or that the context is too short for. `message` says what to choose. */
export class EffortError extends Error {
  override readonly name = 'EffortError'
}

/**
 * Context that DeepSeek asks for with effort `max`, in tokens (its serving recipe: `--max-model-len >= 393216`): the
 * reasoning alone may take 384K. Below it the level is refused and not lowered: it is part of the prompt's beginning,
 * and the user asked for something else.
 */
const maxContextTokens = 393_216

export interface EffortChoice {
  /** The dialect, or the remote preset, for messages. */
  readonly dialect: string
  readonly levels: readonly Effort[]
  /** The level where none is asked for. */
  readonly usual: Effort
  /** Whether `max` needs DeepSeek's context. */
  readonly longMax: boolean
}

/** The level to use. Throws EffortError. `contextTokens` undefined: not known, so not looked at. */
export function chooseEffort(
  { dialect, levels, usual, longMax }: EffortChoice,
  wanted: Effort | undefined,
  contextTokens: number | undefined,
): Effort {
  if (wanted === undefined) return usual
  if (!levels.includes(wanted)) {
    throw new EffortError(
      `${dialect} has no effort "${wanted}"; it has: ${levels.join(', ')}. Choose one of these with --effort, or leave it away`,
    )
  }
  if (wanted === 'max' && longMax && contextTokens !== undefined && contextTokens < maxContextTokens) {
    throw new EffortError(
      `effort max needs a context of ${maxContextTokens} tokens, because the model may think for that long; ` +
        `this session has ${contextTokens}. Use --effort high, or --context ${maxContextTokens}`,
    )
  }
  return wanted
}
