import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { flowInto } from '../../../engine/kv/flow.ts'

let folder: string
let handle: FileHandle
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cachalot-flow-'))
  handle = await open(join(folder, 'file'), 'w')
})
afterEach(async () => {
  await handle.close()
  rmSync(folder, { recursive: true })
})

const large = Buffer.alloc(40_000_000, 'cachalot')

test('all of it is written, and the disk is at work before the end', async () => {
  let syncs = 0
  const flow = flowInto({
    write: handle.write.bind(handle),
    datasync: () => {
      syncs++
      return handle.datasync()
    },
  })
  await flow.write(large, 4096)
  if (process.platform === 'linux') expect(syncs).toBeGreaterThan(0)
  await flow.write(Buffer.from('end'), 4096 + large.length)
  await flow.settled()
  expect(
    readFileSync(join(folder, 'file'))
      .subarray(4096)
      .equals(Buffer.concat([large, Buffer.from('end')])),
  ).toBe(true)
})

test.runIf(process.platform === 'linux')('a disk that fails meanwhile is told at the end at the latest', async () => {
  const flow = flowInto({ write: handle.write.bind(handle), datasync: () => Promise.reject(new Error('EIO')) })
  const written = flow.write(large, 0).then(() => flow.settled())
  await expect(written).rejects.toThrow('EIO')
  await expect(flow.settled()).rejects.toThrow('EIO')
})
