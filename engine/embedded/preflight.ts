/** Checks a model file before the library sees it: what is wrong there costs an error here, and the process there. */
import { EngineError, type EngineOptions } from '../engine.ts'
import { type GgufHeader, metaNumber, metaString, modelIdentity, partNames, readGgufHeader } from '../gguf/index.ts'
import { availableMemory, checkMemory, memoryNeed } from './memory.ts'
import { usualRollback } from './rollback.ts'

/** Limits of the library (llama-hparams.h, llama-cparams.h of llama.cpp v0.4.0); of its 256 sequences the host keeps one. */
const mostLayers = 512
const mostExperts = 1024
const mostSequences = 255
/** Where the cache is shared a fork costs nothing; where it cannot be, each sequence takes a cache of its own. */
const defaultSequences = { shared: 4, own: 2 }

/** Sequences that a context is made for where nobody says. */
export const usualSequences = (architecture: string): number =>
  defaultSequences[architecture === 'deepseek4' ? 'own' : 'shared']

export interface CheckedModel {
  readonly architecture: string
  readonly identity: string
  readonly sequences: number
  readonly rollbackTokens: number
}

/**
 * Reads the header and checks it against itself, the wanted context and the memory there is.
 * @throws EngineError `file-missing`, `not-gguf`, `truncated`, `architecture`, `context-too-long`, `memory`, `misuse`
 */
export async function checkModel(options: EngineOptions): Promise<CheckedModel> {
  const { file, contextTokens } = options
  if (!Number.isSafeInteger(contextTokens) || contextTokens < 1)
    throw new EngineError('misuse', `a context of ${contextTokens} tokens makes no sense`)
  if (options.threads !== undefined && !(Number.isInteger(options.threads) && options.threads > 0))
    throw new EngineError('misuse', `${options.threads} threads make no sense`)
  const header = await readGgufHeader(file)
  const architecture = metaString(header, 'general.architecture')
  if (!architecture) throw damaged(file, 'it does not name its architecture')
  if (architecture === 'deepseek41')
    throw new EngineError(
      'architecture',
      `${file} is a DeepSeek V4.1 model, which the embedded engine (llama.cpp v0.4.0) cannot run. Use it on a server: cachalot remote show vllm has the command that serves it`,
    )
  const sequences = options.sequences ?? usualSequences(architecture)
  if (!Number.isInteger(sequences) || sequences < 1 || sequences > mostSequences)
    throw new EngineError('misuse', `${sequences} sequences are not possible (1 to ${mostSequences})`)
  checkShape(file, header, architecture)
  const trained = metaNumber(header, `${architecture}.context_length`)
  if (trained !== undefined && contextTokens > trained)
    throw new EngineError(
      'context-too-long',
      `the model was made for ${trained} tokens of context, and ${contextTokens} are wanted. Use --context ${trained}`,
    )
  const weights = (await weightsOfParts(file, header)) + (await adapterBytes(options, architecture))
  const { kvType, checkpointBytes } = options
  const rollbackTokens = options.rollbackTokens ?? usualRollback(architecture, options)
  const need = (tokens: number) =>
    memoryNeed(header, {
      ...{ weights, contextTokens: tokens, sequences, rollbackTokens },
      ...(kvType && { kvType }),
      ...(checkpointBytes !== undefined && { checkpointBytes }),
    })
  checkMemory(need, availableMemory(), contextTokens)
  return { architecture, sequences, rollbackTokens, identity: await identityOf(options, header) }
}

/** An adapter changes what the cache holds, so it is part of the identity. */
async function identityOf({ file, adapter, adapterScale = 1 }: EngineOptions, header: GgufHeader): Promise<string> {
  const identity = await modelIdentity(file, header)
  if (adapter === undefined) return identity
  return `${identity} adapter ${await modelIdentity(adapter, await readGgufHeader(adapter))} × ${adapterScale}`
}

/** Checks that an adapter is one, and for this architecture; gives its size. */
async function adapterBytes({ adapter, adapterScale = 1 }: EngineOptions, architecture: string): Promise<number> {
  if (adapter === undefined) return 0
  if (!Number.isFinite(adapterScale))
    throw new EngineError('misuse', `an adapter's scale of ${adapterScale} makes no sense`)
  const header = await readGgufHeader(adapter).catch((error: unknown) => {
    if (!(error instanceof EngineError)) throw error
    const why = error.kind === 'file-missing' ? 'there is no such file, or it cannot be read' : error.message
    throw new EngineError(
      error.kind,
      `the adapter ${adapter} cannot be used: ${why}. Give --adapter a LoRA file (convert_lora_to_gguf.py makes them), or leave it away`,
      { cause: error },
    )
  })
  if (metaString(header, 'general.type') !== 'adapter' || metaString(header, 'adapter.type') !== 'lora')
    throw new EngineError(
      'not-gguf',
      `${adapter} is not a LoRA adapter. Give --adapter a file made by convert_lora_to_gguf.py`,
    )
  const made = metaString(header, 'general.architecture')
  if (made !== architecture)
    throw new EngineError(
      'architecture',
      `the adapter ${adapter} is made for ${made} models, and this one is ${architecture}`,
    )
  return header.tensorBytes
}

const damaged = (file: string, why: string) =>
  new EngineError('not-gguf', `${file} cannot be a working model: ${why}. Download it again: cachalot model pull`)

/** Values on which the library ends the process instead of refusing. */
function checkShape(file: string, header: GgufHeader, architecture: string): void {
  const number = (key: string) => metaNumber(header, `${architecture}.${key}`)
  const within = (key: string, value: number | undefined, most: number) => {
    if (value === undefined || !Number.isInteger(value) || value < 1 || value > most)
      throw damaged(file, `${architecture}.${key} is ${value ?? 'missing'} (1 to ${most} expected)`)
    return value
  }
  const layers = within('block_count', number('block_count'), mostLayers)
  const width = within('embedding_length', number('embedding_length'), 2 ** 20)
  const heads = number('attention.head_count')
  if (heads !== undefined) within('attention.head_count', heads, 65_536)
  const experts = number('expert_count') ?? 0
  const used = number('expert_used_count') ?? 0
  if (experts < 0 || experts > mostExperts || used < 0 || used > experts)
    throw damaged(file, `it uses ${used} of ${experts} experts`)
  if (experts > 0 && used === 0) throw damaged(file, `it has ${experts} experts and uses none`)
  const unknown = header.tensors.find((t) => t.bytes === undefined)
  if (unknown)
    throw new EngineError(
      'architecture',
      `${file} uses a number format (type ${unknown.type}) that this version cannot read`,
    )
  if ((metaNumber(header, 'split.count') ?? 1) > 1) return // The tensors lie in other files, too.
  const embedding = header.tensors.find((t) => t.name === 'token_embd.weight')
  if (embedding?.shape[0] !== width) throw damaged(file, `its token embedding is not ${width} wide`)
  const last = `blk.${layers - 1}.`
  if (!header.tensors.some((t) => t.name.startsWith(last)))
    throw damaged(file, `it has no layer ${layers - 1}, but says it has ${layers}`)
}

/** Bytes of weights in all files of a model; each is checked for being there and whole. */
export async function weightsOfParts(file: string, header: GgufHeader): Promise<number> {
  const count = metaNumber(header, 'split.count') ?? 1
  if (count <= 1) return header.tensorBytes
  const names = partNames(file)
  if (names?.length !== count)
    throw new EngineError(
      'not-gguf',
      `${file} is one of ${count} parts of a model: give the first, …-00001-of-….gguf (each keeps its name)`,
    )
  let bytes = header.tensorBytes
  for (const name of names.slice(1)) bytes += (await headerOfPart(name, count)).tensorBytes
  return bytes
}

async function headerOfPart(part: string, count: number): Promise<GgufHeader> {
  try {
    return await readGgufHeader(part)
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind !== 'file-missing') throw error
    const why = `this model is in ${count} files, which lie in one folder, and ${part} is not there or cannot be read`
    throw new EngineError('file-missing', `${why}. Put it there, or fetch the model again: cachalot model pull`, {
      cause: error,
    })
  }
}
