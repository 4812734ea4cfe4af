/** Several runs at once: no lost event, no cross-talk. The bench (`unattended`) does fifty. */
import { expect, test } from 'vitest'
import { manyRuns } from './many.ts'

test('eight runs at once on one endpoint', { timeout: 120_000 }, async () => {
  const { problems } = await manyRuns(8)
  expect(problems).toEqual([])
})
