import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Move, makeMoves } from '../../../agent/undo/restore.ts'
import type { Store } from '../../../agent/undo/store.ts'
import { openWorkspace } from '../../../sandbox/index.ts'
import { scratch } from '../support.ts'

const moves: readonly Move[] = Array.from({ length: 250 }, (_, at) => ({
  path: `d${at % 7}/f${at}`,
  now: null,
  target: { kind: 'file', mode: 0o644, oid: `oid ${at}` },
}))
const asked: string[] = []
const one = async (oid: string): Promise<Buffer> => {
  asked.push(oid)
  return Buffer.from(oid)
}
const many = async (oids: readonly string[]) => new Map(oids.map((oid) => [oid, Buffer.from(oid)]))
const tooLarge = async (): Promise<never> => {
  throw new Error('maxBuffer')
}
const store = (contents: Store['contents']): Store => ({ content: one, contents }) as Store

test.each([
  ['a hundred at once', many, 0],
  ['one by one where together they are too large', tooLarge, 250],
])('what comes back is asked of git %s', async (_, contents, alone) => {
  const root = scratch()
  asked.length = 0
  await makeMoves(store(contents), openWorkspace(root), moves)
  expect(asked.length).toBe(alone)
  for (const { path, target } of moves) expect(readFileSync(join(root, path), 'utf8')).toBe(target?.oid)
})
