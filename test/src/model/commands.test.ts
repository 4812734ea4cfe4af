/** `cachalot model` on real files, with a hub on this machine. */
import { type ChildProcess, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { main } from '../../../src/main.ts'
import { type Hub, type HubOptions, startHub } from '../../engine/catalog/support/hub.ts'
import { makeModel } from '../../models/index.ts'

const program = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url))
const { file: tiny } = makeModel('tiny-moe')

let home: string
let hub: Hub | undefined

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'cachalot-model-'))
})
afterEach(async () => {
  await hub?.close()
  hub = undefined
  await rm(home, { recursive: true, force: true })
})

interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const environment = (): Record<string, string | undefined> => ({
  CACHALOT_HOME: home,
  HF_ENDPOINT: hub?.url,
  HTTP_PROXY: undefined,
  http_proxy: undefined,
})

/** Runs the program's main function in this process: a process for each command would cost seconds. */
async function run(...words: string[]): Promise<Finished> {
  for (const [name, value] of Object.entries(environment())) vi.stubEnv(name, value)
  const shown = { stdout: '', stderr: '' }
  const before = process.cwd()
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      shown[stream] += String(text)
      return true
    }),
  )
  process.chdir(home)
  try {
    return { code: await main(['model', ...words]), ...shown }
  } finally {
    process.chdir(before)
    for (const spy of spies) spy.mockRestore()
    vi.unstubAllEnvs()
  }
}

/** Runs the program as the user does. */
function start(...words: string[]): { child: ChildProcess; finished: Promise<number | null> } {
  const child = spawn(process.execPath, [program, 'model', ...words], {
    cwd: home,
    env: { PATH: process.env['PATH'], ...environment() },
    stdio: 'ignore',
  })
  return { child, finished: new Promise((resolve) => child.on('close', resolve)) }
}

async function serve(options: Partial<HubOptions> = {}): Promise<void> {
  hub = await startHub({ body: await readFile(tiny), etag: '"v1"', ...options })
}

const inHub = (name = 'Tiny.gguf'): string => join(home, 'data', 'models', 'hf', 'some', 'repo', name)

test('list tells size, place, licence, what fits, the default and the one in use', async () => {
  const { code, stdout } = await run('list')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\* +qwen2.5-coder-1.5b +1.1 GB +no +(yes|tight|no), needs 1.9 GB +Apache-2.0 +default$/m)
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  const json = JSON.parse((await run('list', '--json')).stdout)
  expect(json[1]).toMatchObject({ name: 'qwen2.5-coder-0.5b', bytes: 491_400_064, onDisk: false, default: false })
  expect(json[0].fits.verdict).toMatch(/^(yes|tight|no)$/)
})

test('show tells of one model where it is, how it is spoken to and what it takes, before it is loaded', async () => {
  const absent = await run('show', 'deepseek-v4-flash')
  expect(absent.code).toBe(0)
  expect(absent.stdout).toMatch(/not on this machine: cachalot model pull deepseek-v4-flash/)
  expect(absent.stdout).toMatch(/dialect +deepseek-v4 .*\n +effort +off, low, high, max /)
  const own = await run('show', tiny, '--dialect', 'qwen-xml')
  expect(own.stdout).toMatch(
    /made as +qwen3moe, for 32,768 tokens of context\n +dialect +qwen-xml .*\n +effort +off, high/,
  )
  expect(own.stdout).toMatch(/KV cache +compute +with the weights/)
  expect(JSON.parse((await run('show', tiny, '--dialect', 'qwen', '--json')).stdout)).toMatchObject({
    ...{ architecture: 'qwen3moe', dialect: 'qwen', efforts: [], contexts: null },
    plan: { rows: [{ contextTokens: 32_768, kvType: 'f16' }, { kvType: 'q8_0' }] },
  })
  const unknown = await run('show', tiny)
  expect(unknown).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('Say it with --dialect <name>'),
  })
  const four = await run('show', makeModel('tiny-ds4').file)
  expect(four.stderr).toContain('of July and August is deepseek-v4, that of April deepseek-v4-preview')
  expect((await run('show', 'nothing')).code).toBe(2)
})

test('path prints the file, or nothing with exit code 1; an unknown name is a usage error that names the nearest', async () => {
  expect(await run('path', 'qwen2.5-coder-0.5b')).toMatchObject({ code: 1, stdout: '' })
  const unknown = await run('path', 'qwen2.5-coder-0.6b')
  expect(unknown).toMatchObject({ code: 2, stdout: '' })
  expect(unknown.stderr).toMatch(/no model "qwen2.5-coder-0.6b". Did you mean qwen2.5-coder-0.5b\?/)
})

test('a file of the user is added by its path, used, listed, forgotten, and never touched', async () => {
  const own = join(home, 'My Model.gguf')
  await cp(tiny, own)
  await mkdir(join(home, 'config'))
  await writeFile(join(home, 'config', 'config.toml'), '# mine\n[limits]\nsteps = 9\n')
  expect((await run('pull', './My Model.gguf')).stderr).toContain(`my-model is ${own}`)
  expect((await run('path', 'my-model')).stdout).toBe(`${own}\n`)
  expect((await run('use', 'my-model')).code).toBe(0)
  expect(await readFile(join(home, 'config', 'config.toml'), 'utf8')).toBe(
    'model = "my-model"\n# mine\n[limits]\nsteps = 9\n',
  )
  expect((await run('list')).stdout).toMatch(/^\* +my-model .* yours /m)
  const removed = await run('rm', 'my-model')
  expect(removed).toMatchObject({ code: 0 })
  expect(removed.stderr).toContain('your file stays')
  expect(await readFile(own)).toHaveLength((await stat(tiny)).size)
  expect((await run('path', 'my-model')).code).toBe(2)
})

test('use writes through a link, keeps the mode, and says when something else has the last word', async () => {
  await mkdir(join(home, 'config'))
  await writeFile(join(home, 'dotfile'), 'model = "old"\n', { mode: 0o600 })
  await symlink(join(home, 'dotfile'), join(home, 'config', 'config.toml'))
  vi.stubEnv('CACHALOT_MODEL', 'qwen2.5-coder-1.5b')
  const { code, stderr } = await run('use', 'qwen2.5-coder-0.5b')
  expect(code).toBe(0)
  expect(stderr).toContain('here, qwen2.5-coder-1.5b is used all the same')
  expect(await readFile(join(home, 'dotfile'), 'utf8')).toBe('model = "qwen2.5-coder-0.5b"\n')
  expect((await stat(join(home, 'dotfile'))).mode & 0o777).toBe(0o600)
  expect(await readdir(join(home, 'config'))).toEqual(['config.toml'])
})

test('a mistyped subcommand names the nearest; no subcommand is the list', async () => {
  expect(await run('pul')).toMatchObject({
    code: 2,
    stderr: 'cachalot: unknown command "model pul". Did you mean "pull"?\n',
  })
  expect((await run()).stdout).toContain('qwen2.5-coder-1.5b')
})

test('what is no model is not added', async () => {
  await writeFile(join(home, 'page.gguf'), '<html>')
  const { code, stderr } = await run('pull', './page.gguf')
  expect(code).toBe(1)
  expect(stderr).toMatch(/not a GGUF file/)
})

test('rm of what is not here says so', async () => {
  expect(await run('rm', 'qwen2.5-coder-0.5b')).toMatchObject({ code: 1 })
})

test('a file of a hub is fetched, checked by its header, and told that no digest was known', async () => {
  await serve()
  const { code, stderr } = await run('pull', 'hf:some/repo/Tiny.gguf')
  expect(code).toBe(0)
  expect(stderr).toMatch(/No digest of it was known: only its header was checked/)
  expect((await readFile(inHub())).equals(await readFile(tiny))).toBe(true)
  expect((await run('path', 'tiny')).stdout).toBe(`${inHub()}\n`)
  expect((await run('rm', 'tiny')).stderr).toContain(`deleted ${inHub()}`)
  await expect(stat(inHub())).rejects.toThrow()
})

test('a model in several files comes whole by its first, and goes whole', async () => {
  await serve()
  const { code, stderr } = await run('pull', 'hf:some/repo/q4/Tiny-00001-of-00003.gguf')
  expect(code).toBe(0)
  expect(hub?.requests.map(({ path }) => path.split('/').at(-1))).toEqual([
    'Tiny-00001-of-00003.gguf',
    'Tiny-00002-of-00003.gguf',
    'Tiny-00003-of-00003.gguf',
  ])
  const first = join(dirname(inHub()), 'q4', 'Tiny-00001-of-00003.gguf')
  expect(stderr).toContain(`tiny is at ${first}`)
  expect(await readdir(dirname(first))).toHaveLength(3)
  await run('rm', 'tiny')
  expect(await readdir(dirname(first))).toEqual([])
  const later = await run('pull', 'hf:some/repo/q4/Tiny-00002-of-00003.gguf')
  expect(later).toMatchObject({ code: 2 })
  expect(later.stderr).toContain('is a later part of a model: give its first')
})

test('a file of a hub that begins like a model and is none leaves nothing under its name', async () => {
  await serve({ body: Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(5_000, 0xff)]) })
  const { code, stderr } = await run('pull', 'hf:some/repo/Tiny.gguf')
  expect(code).toBe(1)
  expect(stderr).toMatch(/no usable model and was deleted/)
  await expect(stat(inHub())).rejects.toThrow()
})

test('an address that is none is a usage error', async () => {
  for (const address of [
    'hf:repo/file.gguf',
    'hf:some/repo/file.bin',
    'hf:some/../../x.gguf',
    'hf:',
    'hf:a/b/c?d.gguf',
  ]) {
    expect(await run('pull', address)).toMatchObject({ code: 2 })
  }
})

test('Ctrl-C ends a download with 130 and keeps what came; the next one goes on', async () => {
  await serve({ speed: (await stat(tiny)).size / 2 })
  const { child, finished } = start('pull', 'hf:some/repo/Tiny.gguf')
  const size = (): Promise<number> =>
    stat(`${inHub()}.part`).then(
      (found) => found.size,
      () => 0,
    )
  await expect.poll(size, { timeout: 10_000 }).toBeGreaterThan(100_000)
  child.kill('SIGINT')
  expect(await finished).toBe(130)
  const kept = await size()
  expect((await run('pull', 'hf:some/repo/Tiny.gguf')).code).toBe(0)
  expect(hub?.requests[1]?.range).toBe(`bytes=${kept}-`)
  expect((await readFile(inHub())).equals(await readFile(tiny))).toBe(true)
})
