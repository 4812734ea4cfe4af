/** The model for raw single shots, opened in this process tree when it is first asked for. */
import { join } from 'node:path'
import { dialectByName, type Model, openEmbedded, openEngine, resolveModel } from '../../engine/index.ts'
import { resolvePaths } from '../../src/paths.ts'

/** Opens lazily: an evaluation of `ours` alone loads nothing here. Plain ChatML, no tools told. */
export function openRawModel(name: string): { get(): Promise<Model>; close(): Promise<void> } {
  let opened: Promise<Model> | undefined
  const open = async (): Promise<Model> => {
    const { file, traits } = await resolveModel(name, { models: join(resolvePaths().data, 'models') })
    // As the program itself reads it, so that both sides of the comparison have as many.
    const threads = Number(process.env['CACHALOT_THREADS']) || undefined
    const engine = await openEngine({ file, contextTokens: 8192, ...(threads && { threads }) })
    return openEmbedded({
      engine,
      dialect: dialectByName('qwen'),
      info: { name, finishes: traits.finishes, prompt: traits.prompt },
      sampling: traits.sampling,
    })
  }
  return {
    get: () => (opened ??= open()),
    close: async () => (await opened)?.close(),
  }
}
