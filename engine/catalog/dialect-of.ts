/** The dialect of a model that is on disk. */
import type { Dialect } from '../dialect.ts'
import { chooseEffort } from '../dialects/effort.ts'
import { type DialectOptions, dialectByName, dialects } from '../dialects/index.ts'
import { TemplateError } from '../dialects/turns.ts'
import { type GgufHeader, metaNumber, metaString, readGgufHeader } from '../gguf/index.ts'
import { CatalogError } from './catalog-error.ts'
import type { ResolvedModel } from './resolve.ts'

/** Longer templates than this are not rendered: the longest published ones have 40,000 characters. */
const longestTemplate = 200_000

/**
 * How to speak to a model. Rejects with EffortError for an effort it lacks, and CatalogError `unknown-dialect` for a file
 * whose own template cannot be used.
 */
export async function dialectOf(
  { file, traits: { dialect } }: Pick<ResolvedModel, 'file' | 'traits'>,
  options: DialectOptions,
): Promise<Dialect> {
  if (dialect !== 'template') return dialectByName(dialect, options)
  chooseEffort({ dialect, levels: ['off'], usual: 'off', longMax: false }, options.effort, options.contextTokens)
  // The vocabulary is wanted here, however long: the template may name its first and last token.
  const header = await readGgufHeader(file, { keepArrays: Number.POSITIVE_INFINITY })
  const template = metaString(header, 'tokenizer.chat_template') ?? ''
  const refused = (why: string, cause?: unknown): CatalogError =>
    new CatalogError(
      'unknown-dialect',
      `the chat template of ${file} cannot be used: ${why}. Name the dialect that fits with --dialect <name>: ${Object.keys(dialects).sort().join(', ')}`,
      { cause },
    )
  if (template === '') throw refused('it has none')
  if (template.length > longestTemplate) throw refused(`it is ${template.length} characters long`)
  const { templateDialect } = await import('../dialects/template.ts')
  try {
    return await templateDialect({
      template,
      bos: tokenText(header, 'tokenizer.ggml.bos_token_id'),
      eos: tokenText(header, 'tokenizer.ggml.eos_token_id'),
      addBos: header.metadata.get('tokenizer.ggml.add_bos_token') === true,
    })
  } catch (error) {
    if (error instanceof TemplateError) throw refused(error.message, error)
    throw error
  }
}

/** The spelling of a token that the header names by its number; empty where it names none. */
function tokenText(header: GgufHeader, key: string): string {
  const id = metaNumber(header, key)
  const tokens = header.metadata.get('tokenizer.ggml.tokens')
  const values = typeof tokens === 'object' ? tokens.values : undefined
  const text = id === undefined ? undefined : values?.[id]
  return typeof text === 'string' ? text : ''
}
