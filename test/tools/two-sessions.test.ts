import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { inTurn } from '../../tools/edit/lock.ts'
import { workTree } from './support/workspace.ts'

test('three processes change one file at the same time: every change lands', async () => {
  const names = ['one', 'two', 'three']
  const count = 40
  const lines = names.flatMap((name) => Array.from({ length: count }, (_, i) => `${name} ${i};\n`)).join('')
  const tree = await workTree({ 'f.txt': lines })
  const script = join(import.meta.dirname, 'support/many-edits.ts')
  const run = promisify(execFile)
  await Promise.all(names.map((name) => run(process.execPath, [script, tree.root, name, String(count)])))
  expect(readFileSync(`${tree.root}/f.txt`, 'utf8')).toBe(lines.replaceAll(';', '!'))
  await tree.remove()
})

test('work that fails gives the turn to the next', async () => {
  const order: number[] = []
  const work = [0, 1, 2].map((i) =>
    inTurn('/somewhere', async () => {
      order.push(i)
      if (i === 1) throw new Error('one')
      return i
    }),
  )
  expect((await Promise.allSettled(work)).map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(order).toEqual([0, 1, 2])
})
