/** The README's first job with real weights (CACHALOT_REAL_MODEL: path of a model file of the catalog, as CI fetches it). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { eventsOf, projectRoot, scratch } from './program.ts'

const model = process.env['CACHALOT_REAL_MODEL']
const example = join(projectRoot, 'examples', 'wordcount')
const files = ['package.json', 'wordcount.js', 'wordcount.test.js']

test.runIf(model !== undefined)(
  'a function is written, its tests pass, nothing else is touched',
  { timeout: 300_000 },
  async () => {
    const place = scratch(Object.fromEntries(files.map((file) => [file, readFileSync(join(example, file), 'utf8')])))
    try {
      const check = () => execa(process.execPath, ['--test'], { cwd: place.repo, reject: false, extendEnv: false })
      expect((await check()).exitCode).not.toBe(0)
      const before = place.snapshot()
      const words = [
        'run',
        'Implement longestWord in wordcount.js',
        '--json',
        '--temperature',
        '0',
        '--model',
        model ?? '',
      ]
      const { stdout, exitCode } = await place.run(words, { timeout: 280_000 })
      const result = eventsOf(stdout).at(-1)
      expect(result).toMatchObject({
        type: 'result',
        exit: 'done',
        changes: [{ path: 'wordcount.js', kind: 'changed' }],
      })
      expect(exitCode).toBe(0)
      if (result?.type !== 'result') throw new Error('no result')
      expect(result.usage.promptTokens).toBe(result.usage.cachedTokens + result.usage.evaluatedTokens)
      expect(result.usage.generatedTokens).toBeGreaterThan(20)
      const after = place.snapshot()
      for (const file of files) if (file !== 'wordcount.js') expect(after.get(file)).toBe(before.get(file))
      expect((await check()).exitCode).toBe(0)
    } finally {
      place.remove()
    }
  },
)
