/** A command cannot read keys itself; what we read into the context must not read them for it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { planRepository } from '../../../agent/context/repository/plan.ts'
import { takeSnapshot } from '../../../agent/snapshot.ts'

const base = realpathSync(mkdtempSync(join(tmpdir(), 'led-out-')))
afterAll(() => rmSync(base, { recursive: true, force: true }))

test('a tracked folder that has become a link out of the work tree shows nothing of what it leads to', async () => {
  const root = join(base, 'work')
  const away = join(base, 'away')
  for (const folder of [join(root, 'd'), away]) mkdirSync(folder, { recursive: true })
  writeFileSync(join(away, 'config.py'), 'def THE_KEY(): pass\n')
  writeFileSync(join(root, 'd/config.py'), 'def harmless(): pass\n')
  writeFileSync(join(root, 'd/long.py'), 'def harmless(): pass\n')
  writeFileSync(join(away, 'long.py'), `# ${'x'.repeat(300_000)}\ndef THE_KEY(): pass\n`)
  const git = (...words: string[]): Buffer => execFileSync('git', words, { cwd: root, stdio: 'pipe' })
  git('init', '-q')
  git('add', '.')
  const outlined: string[] = []
  const plan = async (): Promise<string> => {
    const made = await planRepository({
      root,
      budgetTokens: 10_000,
      countTokens: async (text) => text.length / 4,
      outlineOf: async (_, text) => {
        outlined.push(text)
        return text
      },
    })
    return made.text
  }
  expect(await plan()).toContain('harmless')
  // What the index lists is `d/config.py` still, and a look at that path follows the link.
  renameSync(join(root, 'd'), join(root, 'old'))
  symlinkSync(away, join(root, 'd'))
  expect(await plan()).not.toContain('THE_KEY')
  expect(outlined.join()).not.toContain('THE_KEY')
  const snapshot = await takeSnapshot(root)
  expect([...snapshot.values()].map(({ bytes }) => bytes?.toString() ?? '').join()).not.toContain('THE_KEY')
})
