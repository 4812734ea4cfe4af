/** What models need at 32k to 1M of context, told without their files. */
import { expect, test } from 'vitest'
import { catalog, planFor } from '../../../engine/index.ts'
import { ladderTable, needsOfEntry, needsOfPlan } from '../../../src/model/ladder.ts'
import { makeModel } from '../../models/index.ts'

const gib = 1024 ** 3
const machine = { totalBytes: 24 * gib, availableBytes: 20 * gib }

test('every model of the catalog is told at each length up to its own, growing, and no verdict gets better', () => {
  const order = ['yes', 'tight', 'no']
  for (const entry of catalog) {
    const needs = needsOfEntry(entry, machine)
    expect(needs.at(-1)?.contextTokens).toBe(Math.min(entry.contextTokens, 1 << 20))
    for (const [at, need] of needs.entries()) {
      expect(need.neededBytes).toBeGreaterThan(needs[at - 1]?.neededBytes ?? entry.bytes)
      expect(order.indexOf(need.verdict)).toBeGreaterThanOrEqual(order.indexOf(needs[at - 1]?.verdict ?? 'yes'))
    }
  }
})

test('a table has a column for each length; a length of its own stands where it belongs', async () => {
  const file = needsOfPlan(await planFor(makeModel('tiny-ds4').file, machine))
  const glm = needsOfEntry(catalog.find(({ name }) => name === 'glm-4.7-flash')!, machine)
  const [head, first, second] = ladderTable([
    { name: 'glm', contexts: glm },
    { name: 'v4', contexts: file },
  ])
  expect(head).toMatch(/memory at a context of {2}32k +128k +256k +1M$/)
  expect(first).toMatch(/glm +20 GB, fits +26 GB, \S+ \S+ +198k: 29 GB, too large$/)
  expect(second).toMatch(/v4( +\S+ [MG]B, fits){4}$/)
})
