import { expect, test } from 'vitest'
import { planFor } from '../../../engine/index.ts'
import { contextText, planLines } from '../../../src/model/plan-text.ts'
import { makeModel } from '../../models/index.ts'

const gigabyte = 1e9

test('a plan tells for each context what is needed and whether it is there', async () => {
  const { file } = makeModel('tiny-moe')
  const room = await planFor(file, { totalBytes: 8 * gigabyte, availableBytes: 8 * gigabyte }, { bandwidth: gigabyte })
  const [weights, head, ...lines] = planLines(room)
  const rows = lines.slice(0, -1)
  expect(weights).toMatch(/^weights \d.* of which a token reads .*; at most \S+ tokens\/s here$/)
  expect(head).toMatch(/^context +type +KV cache +compute +with the weights$/)
  expect(rows.length).toBeGreaterThan(0)
  for (const row of rows) expect(row).toMatch(/^\d+[kM] +(?:f16|q8_0) +\S+ [kMG]B +\S+ [kMG]B +\S+ [kMG]B, fits$/)
  expect(lines.at(-1)).toBe('the longest context that fits now: 32k, all it knows')

  const none = planLines(await planFor(file, { totalBytes: 1000, availableBytes: 1000 }))
  expect(none[0]).not.toContain('tokens/s')
  expect(none.at(-1)).toContain('too large')
})

test('where the engine keeps checkpoints of a model, they are told', async () => {
  const { file } = makeModel('tiny-ds4')
  const [, head, row] = planLines(await planFor(file, { totalBytes: 8 * gigabyte, availableBytes: 8 * gigabyte }))
  expect(head).toMatch(/compute +checkpoints +with the weights$/)
  expect(row).toMatch(/^32k +f16( +\S+ [kMG]B){4}, fits$/)
})

test('contexts as people say them', () => {
  expect([1000, 4096, 32_768, 131_072, 1_048_576].map(contextText)).toEqual(['1000', '4k', '32k', '128k', '1M'])
})
