import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  type Engine,
  type EngineOptions,
  type GeneratedToken,
  type GenerateOptions,
  openEngine,
  type Sampling,
  type Sequence,
} from '../../engine/index.ts'
import { makeModel } from '../models/index.ts'

const greedy: Sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
const calm = new AbortController().signal
const open: Engine[] = []
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachalot-host-'))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((engine) => engine.close()))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function engineOn(file: string, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({ file, contextTokens: 4096, threads: 1, ...options })
  open.push(engine)
  return engine
}

async function reply(
  sequence: Sequence,
  last: number,
  options: Partial<GenerateOptions> = {},
): Promise<GeneratedToken[]> {
  const tokens: GeneratedToken[] = []
  for await (const token of sequence.generate(last, { sampling: greedy, maxTokens: 16, signal: calm, ...options }))
    tokens.push(token)
  return tokens
}
const ids = (tokens: readonly GeneratedToken[]) => tokens.map(({ token }) => token)
/** Ordinary tokens that differ from place to place. */
const prompt = (length: number, seed = 1) => Array.from({ length }, (_, i) => 32 + ((i * 7 + seed * 13) % 90))

/** Processes of this system that run the engine host as a child of the given one. */
function hostsOf(parent: number): number[] {
  const pids: number[] = []
  for (const pid of readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ').filter(Boolean))
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('host/main.ts')) pids.push(Number(pid))
  return pids
}
const theHost = (): number => {
  const [pid, ...more] = hostsOf(process.pid)
  expect(more).toEqual([])
  if (pid === undefined) throw new Error('no engine host runs')
  return pid
}

describe.each(['tiny-moe-copy', 'tiny-ds4-copy'] as const)('%s', (kind) => {
  test('says exactly what is known in advance', async () => {
    const { file, next } = makeModel(kind)
    const engine = await engineOn(file)
    const sequence = await engine.sequence()
    const tokens = await engine.tokenize('if x then', { control: false })
    const last = tokens.at(-1)!
    await sequence.prefill(tokens.slice(0, -1), { signal: calm })
    expect(sequence.length).toBe(tokens.length - 1)
    const said = await reply(sequence, last, { logprobs: true })
    const expected: number[] = []
    for (let token = next!(last); expected.length < 16; token = next!(token)) expected.push(token)
    expect(ids(said)).toEqual(expected)
    expect(said.map(({ text }) => text).join('')).toMatch(/^[ -~]{10,}/)
    for (const { logprob } of said) expect(logprob).toBeGreaterThan(-0.01)
    // The last one is not in the cache.
    expect(sequence.length).toBe(tokens.length + 15)
  })

  test('a reply of our choosing answers a newline, then the turn ends', async () => {
    const pieces = ['```', 'hello.py\n', 'print("héllo ', '世界")\n', '```']
    const { file, vocabulary } = makeModel(kind, { reply: pieces })
    const engine = await engineOn(file)
    const sequence = await engine.sequence()
    await sequence.prefill(await engine.tokenize('user\nhello', { control: false }), { signal: calm })
    const said = await reply(sequence, vocabulary.byte(10))
    expect(said.map(({ text }) => text).join('')).toBe(pieces.join(''))
    expect(said.at(-1)).toMatchObject({ token: vocabulary.eos, end: true, text: '' })
    expect(said.filter(({ end }) => end)).toHaveLength(1)
  })
})

describe.each(['tiny-moe', 'tiny-ds4'] as const)('%s', (kind) => {
  test('save, load and fork continue in the same way', async () => {
    const { file } = makeModel(kind)
    const engine = await engineOn(file)
    const sequence = await engine.sequence()
    const tokens = prompt(200)
    await sequence.prefill(tokens, { signal: calm })
    const state = join(folder, `${kind}.state`)
    await sequence.save(state)
    const fork = await sequence.fork()
    const said = ids(await reply(sequence, 65))
    expect(ids(await reply(fork, 65))).toEqual(said)

    const again = await engineOn(file)
    const restored = await again.sequence()
    await restored.load(state)
    expect(restored.length).toBe(200)
    expect(ids(await reply(restored, 65))).toEqual(said)
  })

  test('kill -9 during a generation: it fails, the next one has the same context', async () => {
    const { file } = makeModel(kind)
    const notices: string[] = []
    // Room for a reply that outlasts any pause of this process: it must still be running when the host is killed.
    const engine = await engineOn(file, { contextTokens: 32_768, onNotice: (text) => notices.push(text) })
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(300), { signal: calm })
    const said = ids(await reply(await sequence.fork(), 65))

    const endless = 'root ::= "a" root'
    let seen = 0
    const dying = async () => {
      // It has no end to say, and so cannot be through before the host is killed.
      // The first is told by itself; those after it come in bundles.
      for await (const _ of sequence.generate(65, {
        sampling: greedy,
        maxTokens: 30_000,
        signal: calm,
        grammar: { gbnf: endless },
      }))
        if (seen++ === 0) process.kill(theHost(), 'SIGKILL')
    }
    await expect(dying()).rejects.toMatchObject({ kind: 'died', message: expect.stringContaining('killed') })
    // All it has said but the last is in the sequence.
    expect(sequence.length).toBe(300 + seen)
    await sequence.rewind(300)
    expect(ids(await reply(sequence, 65))).toEqual(said)
    expect(notices.join()).toContain('started again')
    expect(theHost()).toBeGreaterThan(0)
  })
})

describe('a sequence', () => {
  test('rewinds freely, and continues as if the rest had never been', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file)
    expect(engine.info).toMatchObject({ architecture: 'qwen3moe', rewind: 'free', contextTokens: 4096 })
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(150), { signal: calm })
    const said = ids(await reply(sequence, 65))
    await sequence.prefill(prompt(100, 2), { signal: calm })
    await sequence.rewind(150)
    expect(sequence.length).toBe(150)
    expect(ids(await reply(sequence, 65))).toEqual(said)
    await expect(sequence.rewind(1000)).rejects.toMatchObject({ kind: 'misuse' })
  })

  test('of a model that cannot rewind evaluates again, unseen', async () => {
    const engine = await engineOn(makeModel('tiny-ds4').file)
    expect(engine.info.rewind).toBe('checkpoint')
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(150), { signal: calm })
    const said = ids(await reply(await sequence.fork(), 65))
    await sequence.rewind(100)
    expect(sequence.length).toBe(100)
    await sequence.prefill(prompt(150).slice(100), { signal: calm })
    expect(ids(await reply(sequence, 65))).toEqual(said)
  })

  test.each(['tiny-moe', 'tiny-ds4'] as const)('stops inside a prefill and is whole afterwards (%s)', async (kind) => {
    const engine = await engineOn(makeModel(kind).file, { contextTokens: 16384 })
    const sequence = await engine.sequence()
    const tokens = prompt(12_000)
    const controller = new AbortController()
    let stopped = 0
    const prefill = sequence.prefill(tokens, {
      signal: controller.signal,
      onProgress: (done) => {
        if (done < 1000 || stopped > 0) return
        // In the middle of the next batch.
        setTimeout(() => {
          stopped = performance.now()
          controller.abort()
        }, 5)
      },
    })
    await expect(prefill).rejects.toMatchObject({ kind: 'aborted' })
    // 100 ms on a free machine; tests share theirs.
    expect(performance.now() - stopped).toBeLessThan(1000)
    const kept = sequence.length
    expect(kept).toBeLessThan(12_000)

    await sequence.prefill(tokens.slice(kept, kept + 500), { signal: calm })
    const fresh = await engine.sequence()
    await fresh.prefill(tokens.slice(0, kept + 500), { signal: calm })
    expect(ids(await reply(sequence, 65, { maxTokens: 4 }))).toEqual(ids(await reply(fresh, 65, { maxTokens: 4 })))
  })

  test('is stopped inside a batch and not only between two', async () => {
    // What V4's cache has of a half batch cannot be cut off, so that all since the last checkpoint is gone (here there is
    // none yet): that is how one can tell.
    const engine = await engineOn(makeModel('tiny-ds4').file, { contextTokens: 8192 })
    const left: number[] = []
    for (let attempt = 0; attempt < 5 && !left.includes(0); attempt++) {
      const sequence = await engine.sequence()
      const controller = new AbortController()
      const onProgress = () => setTimeout(() => controller.abort(), 10)
      const prefill = sequence.prefill(prompt(8000), { signal: controller.signal, onProgress })
      await expect(prefill).rejects.toMatchObject({ kind: 'aborted' })
      left.push(sequence.evaluated)
      await sequence.close()
    }
    expect(left).toContain(0)
  })

  test('a generation can be stopped by its signal and by not reading on', async () => {
    const { file, next } = makeModel('tiny-moe-copy')
    const engine = await engineOn(file)
    const sequence = await engine.sequence()
    const controller = new AbortController()
    const said: number[] = []
    const stopped = async () => {
      for await (const { token } of sequence.generate(65, {
        sampling: greedy,
        maxTokens: 4000,
        signal: controller.signal,
      })) {
        said.push(token)
        if (said.length === 10) controller.abort()
      }
    }
    await expect(stopped()).rejects.toMatchObject({ kind: 'aborted' })
    expect(sequence.length).toBe(said.length)

    for await (const { token } of sequence.generate(said.at(-1)!, {
      sampling: greedy,
      maxTokens: 4000,
      signal: calm,
    })) {
      expect(token).toBe(next!(said.at(-1)!))
      break
    }
    expect(sequence.length).toBe(said.length + 1)
    expect(ids(await reply(sequence, 66, { maxTokens: 1 }))).toEqual([67])
  })

  test('is not for two things at once, and ends', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file, { sequences: 2 })
    const sequence = await engine.sequence()
    const first = sequence.prefill(prompt(500), { signal: calm })
    await expect(sequence.prefill([65], { signal: calm })).rejects.toMatchObject({ kind: 'misuse' })
    await first
    await engine.sequence()
    await expect(engine.sequence()).rejects.toThrow(/at most 2/)
    await sequence.close()
    await expect(sequence.prefill([65], { signal: calm })).rejects.toMatchObject({ kind: 'misuse' })
    expect((await engine.sequence()).length).toBe(0)
  })

  test('several work side by side', async () => {
    const { file, next } = makeModel('tiny-moe-copy')
    const engine = await engineOn(file)
    const works = [65, 70, 75].map(async (first) => {
      const sequence = await engine.sequence()
      await sequence.prefill(prompt(100, first), { signal: calm })
      const said = ids(await reply(sequence, first, { maxTokens: 5 }))
      expect(said[0]).toBe(next!(first))
      expect(said[4]).toBe(first + 5)
    })
    await Promise.all(works)
  })

  test('refuses what would end the process: foreign tokens, a full context, odd settings', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file, { contextTokens: 512 })
    const pid = theHost()
    const sequence = await engine.sequence()
    await expect(sequence.prefill([1_000_000], { signal: calm })).rejects.toMatchObject({ kind: 'misuse' })
    await expect(sequence.prefill([-1], { signal: calm })).rejects.toMatchObject({ kind: 'misuse' })
    await expect(sequence.prefill(prompt(513), { signal: calm })).rejects.toMatchObject({ kind: 'context-full' })
    await sequence.prefill(prompt(508), { signal: calm })
    await expect(reply(sequence, 65)).rejects.toMatchObject({ kind: 'context-full' })
    expect(sequence.length).toBe(512)
    await sequence.rewind(100)
    for (const wrong of [{ temperature: -1 }, { topP: 0 }, { minP: 2 }, { topK: 0.5 }, { repeatPenalty: 0 }])
      await expect(reply(sequence, 65, { sampling: { ...greedy, ...wrong } })).rejects.toMatchObject({ kind: 'misuse' })
    await expect(reply(sequence, -5)).rejects.toMatchObject({ kind: 'misuse' })
    expect(await reply(sequence, 65)).toHaveLength(16)
    expect(theHost()).toBe(pid)
  })
})

describe('sampling', () => {
  test('a seed repeats itself, another says something else', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file)
    const sampling = { ...greedy, temperature: 1, topK: 50, topP: 0.95, minP: 0.01, repeatPenalty: 1.1 }
    const say = async (seed: number) => {
      const sequence = await engine.sequence()
      await sequence.prefill(prompt(50), { signal: calm })
      const said = ids(await reply(sequence, 65, { sampling: { ...sampling, seed } }))
      await sequence.close()
      return said
    }
    const first = await say(7)
    expect(await say(7)).toEqual(first)
    expect(await say(8)).not.toEqual(first)
  })

  test('log-probabilities are those of the greedy choice: never positive, greatest of all', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file)
    const sequence = await engine.sequence()
    const said = await reply(sequence, 65, { logprobs: true })
    for (const { logprob } of said) {
      expect(logprob).toBeLessThanOrEqual(0)
      // No greatest of 757 can be below an even share.
      expect(logprob).toBeGreaterThan(-Math.log(757))
    }
    expect((await reply(sequence, 65))[0]).not.toHaveProperty('logprob')
  })

  test('a repeat penalty is heeded when greedy', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file)
    const sequence = await engine.sequence()
    const said = ids(await reply(sequence, 65, { sampling: { ...greedy, repeatPenalty: 10 }, maxTokens: 40 }))
    expect(new Set(said).size).toBeGreaterThan(35)
  })
})

describe('a saved state', () => {
  test('that is cut, damaged, foreign or missing is refused, and the sequence is what it was', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file)
    const pid = theHost()
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(64), { signal: calm })
    const good = join(folder, 'good.state')
    await sequence.save(good)
    expect(existsSync(`${good}.${pid}.tmp`)).toBe(false)
    const said = ids(await reply(await sequence.fork(), 65))
    const bytes = readFileSync(good)

    const refused = async (name: string, make: (file: string) => void) => {
      const file = join(folder, name)
      make(file)
      await expect(sequence.load(file), name).rejects.toMatchObject({ kind: 'bad-state' })
      expect(sequence.length).toBe(64)
    }
    await refused('missing.state', () => undefined)
    await refused('empty.state', (file) => writeFileSync(file, ''))
    await refused('cut.state', (file) => {
      writeFileSync(file, bytes)
      truncateSync(file, bytes.length - 1)
    })
    for (const at of [0, 18, 30, 400, bytes.length >> 1, bytes.length - 1])
      await refused(`flipped-${at}.state`, (file) => {
        const damaged = Buffer.from(bytes)
        damaged[at] = (damaged[at] ?? 0) ^ 0x55
        writeFileSync(file, damaged)
      })
    const other = await engineOn(makeModel('tiny-moe-copy').file)
    await expect((await other.sequence()).load(good)).rejects.toThrow(/another model/)
    await other.close()

    expect(ids(await reply(sequence, 65))).toEqual(said)
    expect(theHost()).toBe(pid)
  })

  test('saving where it cannot be written says so', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file)
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(10), { signal: calm })
    await expect(sequence.save('/no/such/folder/x.state')).rejects.toThrow(/\/no\/such\/folder/)
  })
})

describe('the host process', () => {
  test('leaves the event loop of its client alone', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file, { contextTokens: 8192 })
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const before = process.cpuUsage()
    const began = performance.now()
    const sequence = await engine.sequence()
    await sequence.prefill(prompt(2000), { signal: calm })
    await reply(sequence, 65, { maxTokens: 100 })
    const passed = performance.now() - began
    const { user, system } = process.cpuUsage(before)
    delay.disable()
    // A busy machine delays everybody; our own computing is what we answer for.
    expect((user + system) / 1000).toBeLessThan(Math.max(200, passed / 2))
    expect(delay.percentile(50) / 1e6).toBeLessThan(50)
  })

  test('ends with the engine', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file)
    const pid = theHost()
    await engine.close()
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    await expect(engine.tokenize('x', { control: false })).rejects.toMatchObject({ kind: 'misuse' })
  })

  test('does not heed Ctrl-C, which is for its parent to handle', async () => {
    const engine = await engineOn(makeModel('tiny-moe').file)
    const pid = theHost()
    process.kill(pid, 'SIGINT')
    process.kill(pid, 'SIGHUP')
    expect(await engine.tokenize('hello', { control: false })).not.toEqual([])
    // A session of its own: the terminal does not even send it one.
    const session = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3]
    expect(session).toBe(String(pid))
  })

  test('loading can be stopped', async () => {
    const signal = AbortSignal.abort()
    // Those of the tests before may still be ending, on a busy machine.
    const others = new Set(hostsOf(process.pid))
    await expect(engineOn(makeModel('tiny-moe').file, { signal })).rejects.toMatchObject({ kind: 'aborted' })
    expect(hostsOf(process.pid).filter((host) => !others.has(host))).toEqual([])
  })

  test('reports its progress while it loads', async () => {
    const fractions: number[] = []
    await engineOn(makeModel('tiny-moe').file, { onLoad: (fraction) => fractions.push(fraction) })
    expect(fractions.at(-1)).toBe(1)
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b))
  })
})

const real = process.env['CACHALOT_REAL_MODEL']
if (real)
  describe('a real model', () => {
    test('answers in words, ends its turn, and says the same after a death', async () => {
      const engine = await engineOn(real, { threads: 2 })
      const sequence = await engine.sequence()
      const tokens = await engine.tokenize(
        '<|im_start|>user\nSay hello in one word.<|im_end|>\n<|im_start|>assistant\n',
        { control: true },
      )
      await sequence.prefill(tokens.slice(0, -1), { signal: calm })
      const said = await reply(sequence, tokens.at(-1)!, { maxTokens: 64 })
      expect(said.map(({ text }) => text).join('')).toMatch(/hello|hi/i)
      expect(said.at(-1)!.end).toBe(true)
      await sequence.rewind(tokens.length - 1)
      const pid = theHost()
      process.kill(pid, 'SIGKILL')
      await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false)
      expect(ids(await reply(sequence, tokens.at(-1)!, { maxTokens: 64 }))).toEqual(ids(said))
    }, 120_000)
  })
