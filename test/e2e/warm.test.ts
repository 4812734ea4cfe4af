/** A repository that was read once is loaded from then on: by the built program, its own processes, a real engine. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { AgentEvent } from '../../agent/index.ts'
import { makeModel } from '../models/index.ts'
import { environment, eventsOf, type Scratch, scratch } from './program.ts'

const real = process.env['CACHALOT_REAL_MODEL']
const body = (n: number): string =>
  Array.from({ length: 30 }, (_, i) => `export const value${n}x${i} = compute(${i * 7}, 'name ${i}')\n`).join('')
const files = Object.fromEntries(Array.from({ length: 3 }, (_, n) => [`src/f${n}.ts`, body(n)]))

let place: Scratch
beforeEach(() => {
  place = scratch({ ...files, 'README.md': '# numbers\n' })
})
afterEach(() => place.remove())

const file = (): string => makeModel('tiny-moe').file
const tiny = (): string[] => ['--model', file(), '--dialect', 'fenced', '--context', '16384', '--repository', 'always']
/** With the full prompt: what is saved is taken without being asked for. */
const full = (): string[] => ['--model', file(), '--dialect', 'qwen', '--context', '16384']
const ask = ['run', 'Say hello', '--json', '--max-tokens', '8', '--max-steps', '1']

function usageOf(stdout: unknown): Extract<AgentEvent, { type: 'result' }>['usage'] {
  const last = eventsOf(stdout).at(-1)
  if (last?.type !== 'result') throw new Error(`no result: ${String(stdout)}`)
  return last.usage
}
const run = async (words: readonly string[], flags: readonly string[] = tiny()) =>
  usageOf((await place.run([...words, ...flags], { timeout: 280_000 })).stdout)
const readings = (): string[] => {
  const folder = join(place.home, 'own', 'cache', 'kv')
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.kv'))
}

describe.each([
  ['a tiny model', tiny, 120_000],
  ...(real === undefined
    ? []
    : [['real weights', () => ['--model', real, '--context', '16384', '--repository', 'always'], 290_000] as const]),
] as const)('%s', (_, flags, timeout) => {
  test('the second run evaluates only what is new; a changed file costs itself', { timeout }, async () => {
    const cold = await run(ask, flags())
    expect(cold.promptTokens).toBeGreaterThan(1500)
    expect(cold.cachedTokens).toBe(0)
    const warm = await run(ask, flags())
    expect(warm.promptTokens).toBe(cold.promptTokens)
    expect(warm.evaluatedTokens).toBeLessThan(100)
    expect(warm.cachedTokens + warm.evaluatedTokens).toBe(warm.promptTokens)

    writeFileSync(join(place.repo, 'src/f1.ts'), body(1).replace("compute(7, 'name 1')", '11'))
    const changed = await run(ask, flags())
    expect(changed.cachedTokens).toBe(warm.cachedTokens)
    expect(changed.evaluatedTokens).toBeLessThan(warm.evaluatedTokens + 300)
  })
})

test('a small task of a small model saves nothing', async () => {
  await place.run([...ask, ...tiny().slice(0, -2)])
  // A machine so busy that 256 tokens took two seconds keeps them, short as they are.
  expect(readings().filter((name) => Number(/(\d+)-\w+\.kv$/.exec(name)?.[1]) >= 1024)).toEqual([])
})

test('warm reads ahead, ends in a usage, and sessions of its kind begin with it', { timeout: 200_000 }, async () => {
  const slow = { timeout: 100_000 }
  const read = await place.run(['warm', '--json', ...full()], slow)
  expect(read.exitCode).toBe(0)
  expect(eventsOf(read.stdout).some(({ type }) => type === 'prefill')).toBe(true)
  const usage = usageOf(read.stdout)
  expect(usage.evaluatedTokens).toBeGreaterThan(1500)
  const first = await run(ask, full())
  expect(first.cachedTokens).toBe(usage.promptTokens)
  expect(first.evaluatedTokens).toBeLessThan(100)
  const again = await place.run(['warm', ...full()], slow)
  expect(again.stdout).toMatch(/4 files in .* tokens are kept/)
  expect(usageOf((await place.run(['warm', '--json', ...full()])).stdout).evaluatedTokens).toBe(0)
  const shown = JSON.parse(String((await place.run(['context', '--json', ...full()])).stdout)) as Record<
    string,
    unknown
  >
  expect(shown).toMatchObject({ resident: true, repositoryTokens: expect.any(Number) })
  expect(String((await place.run(['context', ...full()])).stdout)).toMatch(/● f2\.ts/)
})

test('Ctrl-C while warming keeps what is done', { timeout: 120_000 }, async () => {
  const child = place.start(['warm', '--json', '--threads', '1', ...tiny()])
  let seen = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      seen += String(chunk)
      if (/"done":[1-9]/.test(seen)) resolve()
    })
    void child.then(() => reject(new Error(`ended: ${seen}`)))
  })
  child.kill('SIGINT')
  const { exitCode, stdout } = await child
  expect(exitCode).toBe(130)
  const part = usageOf(stdout)
  expect(part.evaluatedTokens).toBeGreaterThan(0)
  const rest = await place.run(['warm', '--json', ...tiny()])
  expect(usageOf(rest.stdout).cachedTokens).toBe(part.promptTokens)
})

test('warm does not say that it kept what it could not', { timeout: 60_000 }, async () => {
  const tight = await place.run(['warm', '--json', ...tiny()], { env: { CACHALOT_CACHE_MAX_GIGABYTES: '0.0001' } })
  expect(tight.exitCode).toBe(3)
  const last = eventsOf(tight.stdout).at(-1)
  expect(last).toMatchObject({ exit: 'model', text: expect.stringMatching(/0 are kept: make room in .*max_gigabytes/) })
  // A file in the place of the cache folder: nothing can be written there.
  writeFileSync(join(place.home, 'file'), '')
  const closed = { env: { ...environment(place.home), XDG_CACHE_HOME: join(place.home, 'file'), CACHALOT_HOME: '' } }
  expect(String((await place.run(['warm', ...tiny()], closed)).stderr)).toMatch(/ 0\s+are\s+kept/)
})

test('what is exported by name goes with its own repository, and with nothing of another', {
  timeout: 120_000,
}, async () => {
  const other = scratch({ 'other.ts': body(9).replaceAll('value', 'foreign') })
  onTestFinished(() => other.remove())
  const ids = async (cwd: string): Promise<string> => {
    const { promptTokens } = usageOf((await place.run(['warm', '--json', '--cwd', cwd, ...tiny()])).stdout)
    return `${promptTokens}-`
  }
  const own = await ids(place.repo)
  const foreign = await ids(other.repo)
  for (const [id, has, hasNot] of [
    [own, 'value1x3', 'foreign9x3'],
    [foreign, 'foreign9x3', 'value1x3'],
  ] as const) {
    const out = join(place.home, `of-${id}`)
    const { exitCode, stderr } = await place.run(['cache', 'export', out, id])
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('1 reading and 1 packed repository')])
    const all = readdirSync(out, { recursive: true, withFileTypes: true })
    const bytes = all.filter((one) => one.isFile()).map((one) => readFileSync(join(one.parentPath, one.name), 'latin1'))
    expect(bytes.some((text) => text.includes(has))).toBe(true)
    expect(bytes.some((text) => text.includes(hasNot))).toBe(false)
  }
})

test('cache: listed, pinned, exported, imported elsewhere, refused when damaged, removed', {
  timeout: 120_000,
}, async () => {
  const usage = usageOf((await place.run(['warm', '--json', ...tiny()])).stdout)
  const list = JSON.parse(String((await place.run(['cache', 'ls', '--json'])).stdout)) as {
    id: string
    tokens: number
  }[]
  expect(list.at(0)?.tokens).toBe(usage.promptTokens)
  expect(String((await place.run(['cache'])).stdout)).toMatch(/tokens/)
  const short = `${usage.promptTokens}-`
  expect((await place.run(['cache', 'pin', short])).exitCode).toBe(0)
  expect((await place.run(['cache', 'gc'], { env: { CACHALOT_CACHE_MAX_GIGABYTES: '0' } })).stderr).toMatch(/removed 0/)
  const out = join(place.home, 'artefact')
  expect((await place.run(['cache', 'export', out])).exitCode).toBe(0)

  const other = { env: { ...environment(place.home), CACHALOT_HOME: join(place.home, 'other') } }
  expect((await place.run(['cache', 'import', out], other)).exitCode).toBe(0)
  const there = await place.run([...ask, ...tiny()], other)
  expect(usageOf(there.stdout).cachedTokens).toBe(usage.promptTokens)

  const [name = ''] = readdirSync(join(out, 'kv'), { recursive: true, encoding: 'utf8' }).filter((one) =>
    one.endsWith('.kv'),
  )
  const bytes = readFileSync(join(out, 'kv', name))
  bytes[bytes.length - 5] = bytes[bytes.length - 5]! ^ 1
  writeFileSync(join(out, 'kv', name), bytes)
  const third = { env: { ...environment(place.home), CACHALOT_HOME: join(place.home, 'third') } }
  const refused = await place.run(['cache', 'import', out], third)
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toMatch(/damaged/)

  const packed = join(out, 'repositories')
  const [base = ''] = readdirSync(packed)
  writeFileSync(join(packed, base), readFileSync(join(packed, base), 'utf8').slice(0, -9))
  const fourth = { env: { ...environment(place.home), CACHALOT_HOME: join(place.home, 'fourth') } }
  expect((await place.run(['cache', 'import', out], fourth)).stderr).toContain(`refused repositories/${base}`)
  expect(existsSync(join(place.home, 'fourth', 'cache', 'repositories'))).toBe(false)

  for (const [folder, why] of [
    [join(place.repo, 'README.md', 'x'), /cannot be made/],
    ['/proc/cachalot/x', /cannot be made/],
  ] as const) {
    const { exitCode, stderr } = await place.run(['cache', 'export', folder], { timeout: 20_000 })
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(why)])
  }
  expect((await place.run(['cache', 'rm', short.slice(0, 1)])).exitCode).toBe(2)
  expect((await place.run(['cache', 'rm', 'nothing'])).exitCode).toBe(2)
  expect((await place.run(['cache', 'rm'])).exitCode).toBe(2)
  expect((await place.run(['cache', 'rm', '--all'])).exitCode).toBe(0)
  expect(readings()).toEqual([])
  expect((await place.run(['cache', 'import', place.repo])).stderr).toMatch(/is no export/)
})
