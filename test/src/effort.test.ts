/** Sessions that are gone on with, and the effort that they began with. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openOwnLog } from '../../agent/log/own.ts'
import type { Effort, ModelInfo } from '../../engine/index.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { withEffortOf } from '../../src/open/effort.ts'
import { resolvePaths } from '../../src/paths.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachalot-effort-'))
  mkdirSync(join(folder, 'sessions'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const info = (name: string, effort?: Effort): ModelInfo => ({
  ...{ name, place: 'remote', dialect: 'openai', contextTokens: undefined, rewind: 'none' },
  ...{ finishes: 'words', prompt: 'full' },
  ...(effort && { effort }),
})

async function begun(model: ModelInfo): Promise<string> {
  const { id, log } = await openOwnLog({ model, stateFolder: folder, root: folder, nowMs: 0, resume: undefined })
  await log.close()
  return join(folder, 'sessions', `${id}.jsonl`)
}

const wants = async (flags: Record<string, string>, resume: string | undefined): Promise<Effort | undefined> => {
  const { config } = resolveConfig({
    cwd: folder,
    paths: resolvePaths({ CACHALOT_HOME: folder }),
    environment: {},
    flags,
  })
  return (await withEffortOf(config, resume)).effort
}

test('where none is asked for, the session’s own; of another model, none', async () => {
  const file = await begun(info('m', 'max'))
  expect(await wants({ model: 'm', preset: 'vllm' }, file)).toBe('max')
  expect(await wants({ model: 'm', preset: 'vllm', effort: 'low' }, file)).toBe('low')
  expect(await wants({ model: 'other', preset: 'vllm' }, file)).toBeUndefined()
  expect(await wants({}, file)).toBeUndefined()
  expect(await wants({ model: 'm', preset: 'vllm' }, undefined)).toBeUndefined()
  expect(await wants({ model: 'm' }, join(folder, 'none.jsonl'))).toBeUndefined()
  const usual = await begun(info('deepseek-flash', 'high'))
  expect(await wants({ preset: 'deepseek' }, usual)).toBe('high')
})

test('another effort is refused, the same and logs without one are not', async () => {
  const resume = await begun(info('m', 'max'))
  const again = async (model: ModelInfo, from: string): Promise<void> => {
    const { log } = await openOwnLog({ model, stateFolder: folder, root: folder, nowMs: 0, resume: from })
    await log.close()
  }
  await again(info('m', 'max'), resume)
  await expect(again(info('m', 'high'), resume)).rejects.toThrow(/begun with effort max.*say --effort max/)
  await again(info('m', 'high'), await begun(info('m')))
})
