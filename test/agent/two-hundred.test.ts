/** Two hundred turns with edits: what was read is never read again. */
import { expect, test } from 'vitest'
import { openSession } from '../../agent/index.ts'
import { longSession } from './many-turns.ts'
import { collect, scratch } from './support.ts'

test('evaluated ≤ 1.1 × appended, and the log gives the same tokens', { timeout: 300_000 }, async () => {
  const { evaluated, appended, prompt, options, logFile, prompts } = await longSession(scratch(), 200)
  expect(prompt.length).toBeGreaterThan(50_000)
  expect(evaluated).toBeLessThanOrEqual(1.1 * appended)

  // Opened again from its log, the first request begins with the very tokens that the last one had.
  const resumed = await openSession({ ...options, resume: logFile })
  await collect(resumed.send('Change value of number 0'))
  expect(prompts.at(-1)!.slice(0, prompt.length)).toEqual(prompt)
  await resumed.close()
})
