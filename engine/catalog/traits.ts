/** How a model is spoken to, told by its own file: a table of what is known, and an error for what is not. */
import { dialects } from '../dialects/index.ts'
import { memoryNeed } from '../embedded/memory.ts'
import { usualRollback } from '../embedded/rollback.ts'
import { type GgufHeader, metaNumber, metaString } from '../gguf/index.ts'
import { CatalogError } from './catalog-error.ts'
import type { MemoryNeed, ModelTraits } from './entry.ts'
import { type Manner, mannerOfDialect, mannerOfFile } from './manners.ts'

/**
 * The traits of a file that is not in the catalog. `dialect` is the user's word and wins over the table. Throws
 * CatalogError `unknown-dialect` when neither tells, `beyond-engine` for V4.1 with Engram, and `not-a-model` for a GGUF file without a language model.
 */
export function traitsOfHeader(header: GgufHeader, options: { file: string; dialect?: string }): ModelTraits {
  const { file, dialect } = options
  const architecture = metaString(header, 'general.architecture')
  const contextTokens = metaNumber(header, `${architecture}.context_length`)
  if (architecture !== undefined && needsEngram(header, architecture)) {
    throw new CatalogError(
      'beyond-engine',
      `${file} is DeepSeek V4.1, whose Engram memory the embedded engine does not have. Serve it with vLLM or SGLang ` +
        '(cachalot remote show vllm prints the command) and use it with --preset vllm, or take DeepSeek V4-Flash here',
    )
  }
  if (architecture === undefined || contextTokens === undefined) {
    throw new CatalogError('not-a-model', `${file} holds no language model (it names no architecture or context)`)
  }
  const template = metaString(header, 'tokenizer.chat_template') ?? ''
  const manner =
    dialect !== undefined
      ? checkedManner(dialect, template)
      : (mannerOf(header, architecture) ?? (template === '' ? undefined : mannerOfDialect('template')))
  if (manner === undefined) {
    throw new CatalogError(
      'unknown-dialect',
      `how to speak to ${file} (architecture ${architecture}) is not known. ` +
        `${architecture === 'deepseek4' ? 'DeepSeek V4 of July and August is deepseek-v4, that of April deepseek-v4-preview. ' : ''}` +
        `Say it with --dialect <name>: ${knownDialects().join(', ')}`,
    )
  }
  return { architecture, contextTokens, ...manner }
}

const knownDialects = (): string[] => [...Object.keys(dialects), 'template'].sort()

function mannerOf(header: GgufHeader, architecture: string): Manner | undefined {
  return mannerOfFile({
    architecture,
    name: metaString(header, 'general.name') ?? '',
    basename: metaString(header, 'general.basename') ?? '',
    size: metaString(header, 'general.size_label') ?? '',
    template: metaString(header, 'tokenizer.chat_template') ?? '',
  })
}

function checkedManner(dialect: string, template: string): Manner {
  if (dialect === 'template' && template === '') {
    throw new CatalogError(
      'unknown-dialect',
      `the file has no chat template. Known: ${Object.keys(dialects).join(', ')}`,
    )
  }
  if (dialect !== 'template' && !Object.hasOwn(dialects, dialect)) {
    throw new CatalogError('unknown-dialect', `there is no dialect "${dialect}". Known: ${knownDialects().join(', ')}`)
  }
  return mannerOfDialect(dialect)
}

/** DeepSeek V4.1's n-gram memory (Engram), which the embedded library does not have. */
function needsEngram(header: GgufHeader, architecture: string): boolean {
  return (
    /engram|^deepseek-?4[._-]?1$/i.test(architecture) ||
    header.tensors.some((tensor) => /engram/i.test(tensor.name)) ||
    [...header.metadata.keys()].some((key) => /\bengram/i.test(key))
  )
}

/** What a file needs besides its weights, from its header: at f16, and at a context that is usual here. */
export function memoryOfHeader(header: GgufHeader): MemoryNeed {
  const contextTokens = 16_384
  const rollbackTokens = usualRollback(metaString(header, 'general.architecture') ?? '')
  const { cache, checkpoints, compute } = memoryNeed(header, { contextTokens, rollbackTokens })
  return {
    minimumBytes: memoryNeed(header, { contextTokens: 4096, rollbackTokens }).total,
    kvBytesPerToken: Math.ceil(cache / contextTokens),
    checkpointBytesPerToken: Math.ceil(checkpoints / contextTokens),
    computeBytes: Math.ceil(compute),
  }
}
