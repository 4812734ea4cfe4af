import { expect, test } from 'vitest'
import { withResolvers } from '../../src/with-resolvers.ts'

test('a promise that is settled from outside', async () => {
  const good = withResolvers<number>()
  good.resolve(3)
  await expect(good.promise).resolves.toBe(3)
  const bad = withResolvers<number>()
  bad.reject(new Error('no'))
  await expect(bad.promise).rejects.toThrow('no')
})
