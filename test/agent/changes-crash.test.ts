/** Files that an attempt has changed are put back and forth; kill -9 at any instant leaves all of them new, or all old. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { openWorkspace } from '../../sandbox/index.ts'
import { recoverEdits } from '../../tools/index.ts'
import { scratch } from './support.ts'

vi.setConfig({ testTimeout: 120_000 })
const program = fileURLToPath(new URL('many-changes.ts', import.meta.url))
const files = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`f${i}`, 'old\n']))

test.each(['look', 'put'])('killed while it does: %s', async (what) => {
  let mixed = 0
  // There and back are 21 writes.
  for (const at of [0, 1, 5, 7, 8, 13, 14, 17, 20, 21, 22]) {
    const [root, state] = [scratch(files), scratch()]
    const journal = join(state, 'journal')
    const { signal } = spawnSync(process.execPath, [program, root, journal, what, String(at)], { stdio: 'inherit' })
    expect(signal).toBe('SIGKILL')
    const texts = () => new Set(Object.keys(files).map((name) => readFileSync(join(root, name), 'utf8')))
    mixed += texts().size - 1
    await recoverEdits(openWorkspace(root), journal)
    // What was looked at stays what it was; what was put somewhere else is there, or not at all.
    const now = [...texts()]
    if (what === 'look') expect(now).toEqual(['new\n'])
    else expect(now).toHaveLength(1)
    expect(existsSync(join(root, 'made'))).toBe(now[0] === 'new\n')
    expect(readdirSync(root).filter((name) => !(name in files) && name !== 'made')).toEqual([])
    expect(readdirSync(journal)).toEqual([])
  }
  // Else nothing was shown.
  expect(mixed).toBeGreaterThan(3)
})
