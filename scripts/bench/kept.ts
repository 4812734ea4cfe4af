/** What is not a matter of speed: saves that are killed, and how often a long session reads anything twice. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { killedSaves } from '../../test/engine/kv/killed-saves.ts'

const head = ['| what | measured | aim |', '|---|---|---|']

async function inFolder<Value>(work: (folder: string) => Promise<Value>): Promise<Value> {
  const folder = mkdtempSync(join(tmpdir(), 'cachalot-bench-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `times` processes that save are killed, each at another moment. */
export async function benchKills(times: number): Promise<string[]> {
  const looked = await inFolder((folder) => killedSaves(folder, times))
  return [...head, `| ${times} × kill -9 while saving: entries looked at, wrong or broken | ${looked}, 0 | 0 |`]
}

/** A scripted session with edits, one file in five turns changed by somebody else. */
export async function benchSession(turns: number): Promise<string[]> {
  // Prompts are data files, which the build takes in as texts.
  registerHooks({
    load(url, context, next) {
      if (!url.endsWith('.md')) return next(url, context)
      const text = JSON.stringify(readFileSync(fileURLToPath(url), 'utf8'))
      return { format: 'module', source: `export default ${text}`, shortCircuit: true }
    },
  })
  const { longSession } = await import('../../test/agent/many-turns.ts')
  const { evaluated, appended } = await inFolder((folder) => longSession(folder, turns))
  const ratio = (evaluated / appended).toFixed(3)
  return [
    ...head,
    `| ${turns} turns with edits: tokens evaluated | ${evaluated} of ${appended} appended, ${ratio} | ≤ 1.1 |`,
  ]
}
