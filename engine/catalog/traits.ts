/** How a model is spoken to, told by its own file: a table of what is known, and an error for what is not. */
import { dialects } from '../dialects/index.ts'
import { type GgufHeader, metaNumber, metaString } from '../gguf/index.ts'
import type { Sampling } from '../model.ts'
import { CatalogError } from './catalog-error.ts'
import type { MemoryNeed, ModelTraits } from './entry.ts'

type Manner = Pick<ModelTraits, 'dialect' | 'finishes' | 'prompt' | 'sampling'>

const greedy: Sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 0 }

/** Small models that were measured to answer in code fences and never to open a call by themselves. */
const fenced: Manner = { dialect: 'fenced', finishes: 'edits', prompt: 'small', sampling: greedy }

/** Sampling of Qwen's own generation_config.json (Qwen2.5, Qwen3 instruct models). */
const qwen: Manner = {
  dialect: 'qwen',
  finishes: 'words',
  prompt: 'full',
  sampling: { temperature: 0.7, topP: 0.8, topK: 20, minP: 0, repeatPenalty: 1.05, seed: 0 },
}

interface Row {
  readonly manner: Manner
  readonly matches: (file: { architecture: string; basename: string; size: string; template: string }) => boolean
}

/** The first row that matches decides. */
const table: readonly Row[] = [
  {
    manner: fenced,
    matches: ({ architecture, basename, size }) =>
      architecture === 'qwen2' && /^qwen2\.5-coder$/i.test(basename) && ['0.5B', '1.5B'].includes(size),
  },
  {
    // ChatML with calls as JSON in <tool_call> tags (Hermes); not the XML form of Qwen3-Coder.
    manner: qwen,
    matches: ({ architecture, template }) =>
      /^qwen[23]/.test(architecture) &&
      template.includes('<|im_start|>') &&
      template.includes('<tool_call>') &&
      template.includes('arguments') &&
      !template.includes('<function='),
  },
]

/**
 * The traits of a file that is not in the catalog. `dialect` is the user's word and wins over the table. Throws
 * CatalogError `unknown-dialect` when neither tells, and `not-a-model` for a GGUF file without a language model.
 */
export function traitsOfHeader(header: GgufHeader, options: { file: string; dialect?: string }): ModelTraits {
  const { file, dialect } = options
  const architecture = metaString(header, 'general.architecture')
  const contextTokens = metaNumber(header, `${architecture}.context_length`)
  if (architecture === undefined || contextTokens === undefined) {
    throw new CatalogError('not-a-model', `${file} holds no language model (it names no architecture or context)`)
  }
  const manner = dialect === undefined ? mannerOf(header, architecture) : mannerOfDialect(dialect)
  if (manner === undefined) {
    throw new CatalogError(
      'unknown-dialect',
      `how to speak to ${file} (architecture ${architecture}) is not known. ` +
        `Say it with --dialect <name>: ${knownDialects().join(', ')}`,
    )
  }
  return { architecture, contextTokens, ...manner }
}

const knownDialects = (): string[] => Object.keys(dialects).sort()

function mannerOf(header: GgufHeader, architecture: string): Manner | undefined {
  const file = {
    architecture,
    basename: metaString(header, 'general.basename') ?? '',
    size: metaString(header, 'general.size_label') ?? '',
    template: metaString(header, 'tokenizer.chat_template') ?? '',
  }
  return table.find((row) => row.matches(file))?.manner
}

function mannerOfDialect(dialect: string): Manner {
  if (!Object.hasOwn(dialects, dialect)) {
    throw new CatalogError('unknown-dialect', `there is no dialect "${dialect}". Known: ${knownDialects().join(', ')}`)
  }
  const measured = table.find((row) => row.manner.dialect === dialect)?.manner
  return measured ?? { ...qwen, dialect }
}

/** An estimate of what a file needs besides its weights, from its header. KV cache at f16, attention of the usual kind. */
export function memoryOfHeader(header: GgufHeader): MemoryNeed {
  const architecture = metaString(header, 'general.architecture') ?? ''
  const number = (key: string): number | undefined => metaNumber(header, `${architecture}.${key}`)
  const layers = number('block_count') ?? 0
  const heads = number('attention.head_count') ?? 1
  const width = number('embedding_length') ?? 0
  const keyLength = number('attention.key_length') ?? width / heads
  const valueLength = number('attention.value_length') ?? keyLength
  const kvBytesPerToken = Math.ceil(
    layers * (number('attention.head_count_kv') ?? heads) * (keyLength + valueLength) * 2,
  )
  // The host process, and a batch of 512 through the widest layer a few times over.
  const feedForward = number('feed_forward_length') ?? 4 * width
  const computeBytes = 160 * 1024 * 1024 + 512 * Math.max(width, feedForward) * 4 * 4
  return {
    minimumBytes: header.tensorBytes + 4_096 * kvBytesPerToken + computeBytes,
    kvBytesPerToken,
    computeBytes,
  }
}
