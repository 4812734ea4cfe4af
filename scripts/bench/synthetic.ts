/** Model files of our own making for benches, in the temporary folder: kept there, for the next run. */
import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readGgufHeader } from '../../engine/index.ts'
import { makeModel } from '../../test/models/index.ts'
import { upcycle } from '../../test/models/upcycle.ts'

/** DeepSeek V4's structure: `small` (17 MB), or with the cache of V4-Flash (217 MB); `copy` says what is known in advance. */
export const syntheticV4 = (size: 'small' | 'flash' | 'flash-copy'): string =>
  makeModel(({ small: 'tiny-ds4', flash: 'flashkv-ds4', 'flash-copy': 'flashkv-ds4-copy' } as const)[size]).file

const leastMoeBytes = 3e9

/** A mixture of experts of at least 3 GB: `dense` (a Qwen2.5 file) with its feed-forward blocks in experts, two of which are used. */
export async function syntheticMoe(dense: string): Promise<string> {
  const header = await readGgufHeader(dense)
  const inner = header.tensors
    .filter(({ name }) => name.includes('.ffn_'))
    .reduce((sum, { bytes = 0 }) => sum + bytes, 0)
  // All of them, and the shared one.
  const experts = Math.max(4, Math.ceil((leastMoeBytes - header.fileBytes) / inner))
  const folder = join(tmpdir(), 'cachalot-bench-models')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `moe-${experts}-${header.fileBytes}.gguf`)
  if (!existsSync(file)) await upcycle(dense, file, { experts, used: 2 })
  return file
}
