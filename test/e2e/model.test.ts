/** Models from a bare machine, by the built program: fetched from a hub, used, found by scripts, removed. */
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Hub, startHub } from '../engine/catalog/support/hub.ts'
import { makeModel } from '../models/index.ts'
import { type Scratch, scratch } from './program.ts'

let place: Scratch
let hub: Hub
beforeEach(async () => {
  place = scratch({ 'a.txt': 'one\n' })
  hub = await startHub({ body: readFileSync(makeModel('tiny-moe').file) })
})
afterEach(async () => {
  place.remove()
  await hub.close()
})

test('pull, use, path, list and rm', async () => {
  const model = (...words: string[]) => place.run(['model', ...words], { env: { HF_ENDPOINT: hub.url } })
  const pulled = await model('pull', 'hf:some/repo/Tiny.gguf')
  expect(pulled.exitCode, String(pulled.stderr)).toBe(0)
  expect((await model('use', 'tiny')).exitCode).toBe(0)
  const { stdout: path } = await model('path')
  expect(readFileSync(String(path).trim()).subarray(0, 4).toString()).toBe('GGUF')
  expect((await model('list')).stdout).toMatch(/^\* +tiny +.* yes /m)
  expect((await model('rm', 'tiny')).exitCode).toBe(0)
  expect((await model('path', 'tiny')).exitCode).toBe(2)
})
