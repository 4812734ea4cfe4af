/** Copy speculation on DeepSeek V4, from the settings to the reply: by itself where a GPU computes, and the same text everywhere. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findLibraryFolder } from '../../../engine/host/library-folder.ts'
import type { ModelSession, Usage } from '../../../engine/index.ts'
import { resolveConfig } from '../../../src/config/resolve.ts'
import { openModel } from '../../../src/open/model.ts'
import { resolvePaths } from '../../../src/paths.ts'
import { makeModel } from '../../models/index.ts'

const words = Array.from({ length: 90 }, (_, i) => `item ${i} `)
const signal = new AbortController().signal
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cachalot-drafts-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true, force: true })
})

async function said(session: ModelSession): Promise<{ text: string; usage: Usage }> {
  for await (const event of session.respond({ signal, maxTokens: 200 }))
    if (event.type === 'done') return { text: event.message.text, usage: event.usage }
  throw new Error('the reply had no end')
}

/** Two replies of the same words: the second can be copied from the first. */
async function twice(flags: Readonly<Record<string, string>>) {
  const { file } = makeModel('tiny-ds4-copy', { reply: words })
  const paths = resolvePaths({ CACHALOT_HOME: home }, home)
  const { config } = resolveConfig({
    cwd: home,
    paths,
    environment: {},
    flags: { model: file, dialect: 'fenced', context: '4096', threads: '1', ...flags },
  })
  const quiet = { onStatus: () => undefined, onNotice: () => undefined }
  const model = await openModel({ config, paths, signal, mayAsk: false, animated: false, ...quiet })
  try {
    const session = await model.start([{ name: 'conversation', messages: [{ role: 'user', text: 'Count.' }] }])
    const first = await said(session)
    await session.append([{ role: 'user', text: 'Once more.' }])
    return [first, await said(session)] as const
  } finally {
    await model.close()
  }
}

test('DeepSeek V4 drafts where its libraries are those of a GPU, says the same, and tells how many held', async () => {
  const plain = await twice({})
  expect(plain[1].text).toBe(words.join('').trim())
  expect(plain[1].usage.draftedTokens ?? 0).toBe(0)

  // As after `cachalot gpu install`; the libraries themselves are those of this machine.
  vi.stubEnv('CACHALOT_LLAMA_LIBS', findLibraryFolder())
  const drafted = await twice({})
  expect(drafted.map(({ text }) => text)).toEqual(plain.map(({ text }) => text))
  expect(drafted[1].usage.acceptedTokens).toBeGreaterThan(0)

  const without = await twice({ gpuLayers: '0' })
  expect(without.map(({ text }) => text)).toEqual(plain.map(({ text }) => text))
  expect(without[1].usage.draftedTokens ?? 0).toBe(0)
})
