import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { choices, defaultEntry, findEntry, fits, readMachine } from '../../../engine/index.ts'

const gib = 1024 ** 3
let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cachalot-machine-'))
  await put('proc/meminfo', `MemTotal: ${8 * 1024 ** 2} kB\nMemFree: 1 kB\nMemAvailable: ${6 * 1024 ** 2} kB\n`)
})
afterEach(() => rm(root, { recursive: true, force: true }))

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), content)
}

test('without limits the kernel decides', async () => {
  expect(await readMachine(root)).toEqual({ totalBytes: 8 * gib, availableBytes: 6 * gib })
})

test('a limit of a control group, or of one above it, is the machine; its page cache counts as free', async () => {
  await put('proc/self/cgroup', '0::/user.slice/session\n')
  await put('sys/fs/cgroup/user.slice/session/memory.max', 'max\n')
  await put('sys/fs/cgroup/user.slice/memory.max', `${4 * gib}\n`)
  await put('sys/fs/cgroup/user.slice/memory.current', `${3 * gib}\n`)
  await put('sys/fs/cgroup/user.slice/memory.stat', `anon 5\ninactive_file ${2 * gib}\n`)
  expect(await readMachine(root)).toEqual({ totalBytes: 4 * gib, availableBytes: 3 * gib })
})

test('version 1 of control groups, seen from inside a container', async () => {
  await put('proc/self/cgroup', '5:cpu:/docker/abc\n4:memory:/docker/abc\n0::/\n')
  await put('sys/fs/cgroup/memory/memory.limit_in_bytes', `${2 * gib}\n`)
  await put('sys/fs/cgroup/memory/memory.usage_in_bytes', `${gib}\n`)
  expect(await readMachine(root)).toEqual({ totalBytes: 2 * gib, availableBytes: gib })
})

test('this machine is read as it is', async () => {
  const machine = await readMachine()
  expect(machine.totalBytes).toBeLessThanOrEqual(totalmem())
  expect(machine.availableBytes).toBeGreaterThan(0)
  expect(machine.availableBytes).toBeLessThanOrEqual(machine.totalBytes)
})

test('what fits is weights, KV cache and compute against what there is', () => {
  const entry = defaultEntry()
  const at = (total: number, available: number, context = 16_384): string =>
    fits({ totalBytes: total * gib, availableBytes: available * gib }, entry, context).verdict
  expect(at(8, 6)).toBe('yes')
  expect(at(4, 2)).toBe('tight')
  expect(at(8, 1)).toBe('tight')
  expect(at(1, 1)).toBe('no')
  expect(at(2, 2)).toBe('tight')
  expect(at(2, 2, 32_768)).toBe('no')
  const fit = fits({ totalBytes: gib, availableBytes: gib }, entry, 1_000)
  expect(fit.neededBytes).toBe(fit.weightsBytes + fit.kvBytes + fit.computeBytes)
  expect(fit.kvBytes).toBe(28_672_000)
})

test('checkpoints grow with the context up to the room that the engine gives them, and no further', () => {
  const entry = findEntry('qwen3.6-35b-a3b')!
  const machine = { totalBytes: 64 * gib, availableBytes: 60 * gib }
  const kv = (context: number) => fits(machine, entry, context).kvBytes
  expect(kv(8192)).toBe(8192 * (20_480 + 63_360))
  // Ten of forty layers look back: 20 kB a token, not 88.
  expect(kv(262_144)).toBe(262_144 * 20_480 + gib)
})

test('the first question offers the default first', () => {
  const rows = choices({ totalBytes: 1.5 * gib, availableBytes: 1.5 * gib })
  expect(rows[0]?.entry).toBe(defaultEntry())
  expect(rows.filter((row) => row.fit.verdict === 'yes').map((row) => row.entry.name)).toEqual(['qwen2.5-coder-0.5b'])
})
