/** Small model files for tests, written on first use: no download, the real engine. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deepseek4, flashGeometry, tinyGeometry, tinyMoe } from './architectures.ts'
import { asCopy, type Succession, succession } from './copy.ts'
import { type MetaValue, writeGguf } from './gguf.ts'
import { makeVocabulary, type Vocabulary } from './vocabulary.ts'

/** Raise when the writer's output changes, so that old files in the temporary folder are not used. */
const format = 2

/**
 * `tiny-moe`: Qwen's mixture of experts with ChatML control tokens; `tiny-ds4`: DeepSeek V4's structure. Their words
 * are random but reproducible. The `-copy` variants say what is known in advance. `flashkv-ds4` has the cache of V4-Flash
 * (217 MB, some seconds to write), `flashkv-ds4-copy` too.
 */
export type ModelKind = 'tiny-moe' | 'tiny-moe-copy' | 'tiny-ds4' | 'tiny-ds4-copy' | 'flashkv-ds4' | 'flashkv-ds4-copy'

export interface TestModel {
  readonly file: string
  readonly vocabulary: Vocabulary
  /** What a copy model says after a token. Undefined for the random ones. */
  readonly next: ((token: number) => number) | undefined
}

export interface ModelOptions {
  /** Where the file goes; a folder shared by all tests of this user when not given. */
  readonly folder?: string
  /**
   * Copy models only: after a newline (so: after ChatML's opening of the assistant's turn) the model says exactly
   * this text, about a token for each piece, then ends its turn.
   */
  readonly reply?: readonly string[]
  /** Metadata to add or to replace: for files that must be refused. */
  readonly metadata?: Readonly<Record<string, MetaValue>>
}

/** Makes the model file (a second or less), or finds the one made before. */
export function makeModel(kind: ModelKind, { folder, reply = [], metadata = {} }: ModelOptions = {}): TestModel {
  const copies = kind.endsWith('-copy')
  const vocabulary = makeVocabulary(kind.includes('ds4') ? 'deepseek' : 'qwen', reply)
  const order: Succession | undefined = copies ? succession(vocabulary, vocabulary.extra) : undefined
  const where = folder ?? join(tmpdir(), `cachalot-test-models-${process.getuid?.() ?? 'user'}`)
  mkdirSync(where, { recursive: true })
  const key = createHash('sha256')
    .update(JSON.stringify([format, kind, reply, metadata]))
    .digest('hex')
    .slice(0, 12)
  const file = join(where, `${kind}-${key}.gguf`)
  if (!existsSync(file)) {
    const model = kind.includes('ds4')
      ? deepseek4(vocabulary, kind.startsWith('flashkv') ? flashGeometry : tinyGeometry)
      : tinyMoe(vocabulary)
    const tensors = order ? asCopy(model.tensors, model.width, order) : model.tensors
    writeGguf(file, { ...model.metadata, ...metadata }, tensors)
  }
  return { file, vocabulary, next: order?.next }
}
