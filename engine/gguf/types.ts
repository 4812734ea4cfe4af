/** What a GGUF file says about itself, without its weights. Format: ggml/docs/gguf.md in the ggml repository. */

export type GgufScalar = string | number | bigint | boolean

/**
 * An array of a GGUF header. `values` is missing for arrays longer than the reader was asked to keep (vocabularies,
 * merges): they are walked and checked, but not held in memory.
 */
export interface GgufArray {
  readonly length: number
  readonly values?: readonly GgufScalar[]
}

/** Integers are numbers where they are safe as such, else bigints. */
export type GgufValue = GgufScalar | GgufArray

export interface GgufTensor {
  readonly name: string
  /** Elements in each dimension, fastest first (`ne` in ggml). */
  readonly shape: readonly number[]
  /** `ggml_type`; see `blockLayout`. */
  readonly type: number
  /** Bytes from `dataOffset`. */
  readonly offset: number
  /** Bytes; undefined for a type this reader does not know. */
  readonly bytes: number | undefined
}

export interface GgufHeader {
  readonly version: number
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: readonly GgufTensor[]
  /** Where the weights begin, in bytes from the start of the file. */
  readonly dataOffset: number
  /** Size of the whole file in bytes. */
  readonly fileBytes: number
  /** Sum of the tensors' sizes in bytes (of this file, when the model is split over several). */
  readonly tensorBytes: number
  /** SHA-256 (hex) of the header's bytes: tells models apart that have the same size. */
  readonly digest: string
}

/** Elements and bytes of one block of a `ggml_type` (ggml.h and ggml-common.h of llama.cpp v0.4.0). */
const layouts: Readonly<Record<number, readonly [elements: number, bytes: number]>> = {
  0: [1, 4], // F32
  1: [1, 2], // F16
  2: [32, 18], // Q4_0
  3: [32, 20], // Q4_1
  6: [32, 22], // Q5_0
  7: [32, 24], // Q5_1
  8: [32, 34], // Q8_0
  9: [32, 36], // Q8_1
  10: [256, 84], // Q2_K
  11: [256, 110], // Q3_K
  12: [256, 144], // Q4_K
  13: [256, 176], // Q5_K
  14: [256, 210], // Q6_K
  15: [256, 292], // Q8_K
  16: [256, 66], // IQ2_XXS
  17: [256, 74], // IQ2_XS
  18: [256, 98], // IQ3_XXS
  19: [256, 50], // IQ1_S
  20: [32, 18], // IQ4_NL
  21: [256, 110], // IQ3_S
  22: [256, 82], // IQ2_S
  23: [256, 136], // IQ4_XS
  24: [1, 1], // I8
  25: [1, 2], // I16
  26: [1, 4], // I32
  27: [1, 8], // I64
  28: [1, 8], // F64
  29: [256, 56], // IQ1_M
  30: [1, 2], // BF16
  34: [256, 54], // TQ1_0
  35: [256, 66], // TQ2_0
  39: [32, 17], // MXFP4
  40: [64, 36], // NVFP4
  41: [128, 18], // Q1_0
  42: [64, 18], // Q2_0
}

/** Block layout of a tensor type, or undefined for one that this version of the library does not know either. */
export function blockLayout(type: number): { readonly elements: number; readonly bytes: number } | undefined {
  const layout = layouts[type]
  return layout && { elements: layout[0], bytes: layout[1] }
}

/** A whole number from the metadata, or undefined. */
export function metaNumber(header: GgufHeader, key: string): number | undefined {
  const value = header.metadata.get(key)
  return typeof value === 'number' ? value : undefined
}

/** A text from the metadata, or undefined. */
export function metaString(header: GgufHeader, key: string): string | undefined {
  const value = header.metadata.get(key)
  return typeof value === 'string' ? value : undefined
}
