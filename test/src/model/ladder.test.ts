/** What models need at 32k to 1M of context, told without their files. */
import { expect, test } from 'vitest'
import { catalog, fits, planFor } from '../../../engine/index.ts'
import { ladderTable, largestFit, needsOfEntry, needsOfPlan } from '../../../src/model/ladder.ts'
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
  expect(head).toMatch(/memory at context {2}32k +128k +256k +1M$/)
  expect(first).toMatch(/glm +20 GB, fits +26 GB, tight +198k: 29 GB, no$/)
  expect(second).toMatch(/v4( +\S+ [MG]B, fits){4}$/)
})

test('the catalog stands in 80 columns, and the largest that fits is named with its context', () => {
  const models = catalog.map((entry) => ({
    name: entry.name,
    bytes: entry.bytes,
    contexts: needsOfEntry(entry, machine),
    fits: fits(machine, entry, 16_384),
  }))
  for (const line of ladderTable(models)) expect(line.length).toBeLessThanOrEqual(80)
  expect(largestFit(models).at(-1)).toBe('The largest that fits: glm-4.7-flash, with 32k of context.')
  // V4-Flash runs from 96 GB on, with what it has read of 32k and more.
  const large = { totalBytes: 96 * gib, availableBytes: 94 * gib }
  const there = catalog.map((entry, at) => ({
    ...models[at]!,
    fits: fits(large, entry, 16_384),
    contexts: needsOfEntry(entry, large),
  }))
  expect(largestFit(there).at(-1)).toMatch(/^The largest that fits: deepseek-v4-flash-q2, with \d+[kM] of context\.$/)
  const none = { totalBytes: 1000, availableBytes: 1000 }
  expect(largestFit(catalog.map((entry, at) => ({ ...models[at]!, fits: fits(none, entry, 1024) })))).toEqual([])
})
