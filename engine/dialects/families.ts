/** The dialects by name, each with its levels of effort. The catalog or the file chooses one; nothing is guessed. */
import type { Dialect } from '../dialect.ts'
import { deepseekV32 } from './deepseek-v3.2.ts'
import { deepseekV4 } from './deepseek-v4.ts'
import { chooseEffort, type Effort } from './effort.ts'
import { fenced } from './fenced.ts'
import { gemma } from './gemma.ts'
import { glm } from './glm.ts'
import { harmony } from './harmony.ts'
import { qwen } from './qwen.ts'
import { qwenXml, qwenXmlCoder } from './qwen-xml.ts'

export interface DialectFamily {
  readonly levels: readonly Effort[]
  readonly usual: Effort
  /** Whether effort `max` needs DeepSeek's 384K of context. */
  readonly longMax: boolean
  readonly make: (effort: Effort) => Dialect
}

export interface DialectOptions {
  /** The dialect's usual one where none is wanted. Fixed for a session: it is part of the prompt's beginning. */
  readonly effort?: Effort | undefined
  /** Tokens that the session will have; for what an effort needs. */
  readonly contextTokens?: number | undefined
}

const fixed = (dialect: Dialect, usual: Effort): DialectFamily => ({
  levels: [usual],
  usual,
  longMax: false,
  make: () => dialect,
})

export const dialects: Readonly<Record<string, DialectFamily>> = {
  fenced: fixed(fenced, 'off'),
  // The model decides whether it thinks: Qwen2.5 never does, Qwen3 does as it was trained.
  qwen: fixed(qwen, 'off'),
  'deepseek-v4': {
    levels: ['off', 'low', 'high', 'max'],
    usual: 'high',
    longMax: true,
    make: (effort) => deepseekV4('deepseek-v4', effort),
  },
  'deepseek-v4-preview': {
    levels: ['off', 'high', 'max'],
    usual: 'high',
    longMax: true,
    make: (effort) => deepseekV4('deepseek-v4-preview', effort),
  },
  'deepseek-v4.1': {
    levels: ['off', 'low', 'high', 'max'],
    usual: 'high',
    longMax: true,
    make: (effort) => deepseekV4('deepseek-v4.1', effort),
  },
  'deepseek-v3.2': { levels: ['off', 'high'], usual: 'high', longMax: false, make: deepseekV32 },
  'qwen-xml': { levels: ['off', 'high'], usual: 'high', longMax: false, make: qwenXml },
  'qwen-xml-coder': fixed(qwenXmlCoder, 'off'),
  // The format's third level, medium, has no name here.
  harmony: { levels: ['low', 'high'], usual: 'high', longMax: false, make: harmony },
  glm: { levels: ['off', 'high'], usual: 'high', longMax: false, make: glm },
  gemma: { levels: ['off', 'high'], usual: 'high', longMax: false, make: gemma },
}

/**
 * Throws with the names there are: an unknown dialect is a mistake in the catalog, a script or the configuration.
 * Throws EffortError for an effort that the dialect lacks or the context is too short for.
 */
export function dialectByName(name: string, { effort, contextTokens }: DialectOptions = {}): Dialect {
  const family = Object.hasOwn(dialects, name) ? dialects[name] : undefined
  if (family === undefined) {
    throw new Error(`There is no dialect "${name}". Known: ${Object.keys(dialects).sort().join(', ')}.`)
  }
  return family.make(chooseEffort({ dialect: name, ...family }, effort, contextTokens))
}
