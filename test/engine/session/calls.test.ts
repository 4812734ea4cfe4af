/** A model that would say malformed calls, held to their form by the real library. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import {
  type Dialect,
  dialectByName,
  dialects,
  type Engine,
  type Message,
  type ModelEvent,
  openEmbedded,
  openEngine,
  type Sampling,
  type ToolSpec,
} from '../../../engine/index.ts'
import { allTools, parseCall, toolSchema } from '../../../tools/index.ts'
import { type ModelKind, makeModel } from '../../models/index.ts'

const greedy: Sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
const info = { name: 'tiny', finishes: 'words', prompt: 'full' } as const
const specs: readonly ToolSpec[] = allTools
  .filter(({ name }) => ['read', 'edit', 'write', 'git'].includes(name))
  .map((tool) => ({ name: tool.name, description: '', parameters: toolSchema(tool) }))

let folder = ''
let engine: Engine | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachalot-calls-'))
  mkdirSync(join(folder, 'src'))
  writeFileSync(join(folder, 'src/app.py'), 'def f(x):\r\n    return "ü" + x\r\n')
  writeFileSync(join(folder, 'notes.txt'), 'one\n')
  symlinkSync('/etc/passwd', join(folder, 'src/link.py'))
})
afterEach(async () => {
  await engine?.close()
  engine = undefined
  rmSync(folder, { recursive: true })
})

/** Without free texts, in which a model that knows nothing else would stay. */
const narrow: readonly ToolSpec[] = [
  {
    name: 'read',
    description: '',
    parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  },
  {
    name: 'turn',
    description: '',
    parameters: {
      type: 'object',
      properties: { to: { enum: ['left', 'right'] }, on: { type: 'boolean' } },
      required: ['to', 'on'],
    },
  },
]
const isNarrow = (given: unknown): boolean =>
  z
    .union([
      z.strictObject({ path: z.enum(['src/app.py', 'notes.txt', './src/app.py', './notes.txt']) }),
      z.strictObject({ to: z.enum(['left', 'right']), on: z.boolean() }),
    ])
    .safeParse(given).success

interface Asked {
  readonly dialect?: Dialect
  readonly kind?: ModelKind
  readonly sampling?: Sampling
  readonly held?: boolean
  readonly tools?: readonly ToolSpec[]
}

/** What becomes of a reply that the model is sure of. */
async function said(pieces: readonly string[], asked: Asked = {}) {
  const {
    dialect = dialectByName('qwen'),
    kind = 'tiny-moe-copy',
    sampling = greedy,
    held = true,
    tools = specs,
  } = asked
  const { file } = makeModel(kind, { reply: pieces })
  engine = await openEngine({ file, contextTokens: 16_384, threads: 1 })
  // Its opening ends in a newline, after which the model says its reply.
  const opening: Dialect = {
    ...dialect,
    open: (previous) => [...dialect.open(previous), { text: '\n', control: true }],
  }
  const model = openEmbedded({ engine, dialect: opening, info, sampling })
  const messages: Message[] = [
    { role: 'system', text: 'You code.', tools },
    { role: 'user', text: 'go' },
  ]
  const session = await model.start([{ name: 'conversation', messages }])
  const events: ModelEvent[] = []
  const options = {
    signal: new AbortController().signal,
    maxTokens: 600,
    ...(held && { folder: { path: folder, seen: ['src/app.py'] } }),
  }
  for await (const event of session.respond(options)) events.push(event)
  const last = events.at(-1)
  if (last?.type !== 'done') throw new Error(JSON.stringify(last))
  await model.close()
  engine = undefined
  // A model that goes in a circle is cut in the middle of its last call.
  const malformed = last.stop === 'end' ? events.filter(({ type }) => type === 'malformed') : []
  return { message: last.message, malformed }
}

describe('a call that the model would spoil', () => {
  const wrong = [
    'Look:\n',
    '<tool_call>\n{',
    '"nam',
    'e": "raed", "args": [',
    'src',
    '/nope.py',
    ' }} ',
    '</tool_call>',
    ' Then.',
  ]

  test.each([greedy, { ...greedy, temperature: 0.7, topK: 20, seed: 5 }])(
    'comes out well formed (%o)',
    async (sampling) => {
      const { message, malformed } = await said(wrong, { sampling, tools: narrow })
      expect(malformed).toEqual([])
      expect(message.text).toContain('Look:')
      expect(message.calls.length, message.raw).toBeGreaterThan(0)
      for (const call of message.calls) expect(isNarrow(call.arguments), message.raw).toBe(true)
    },
  )

  test.each(Object.keys(dialects).filter((name) => name.startsWith('deepseek')))('in DSML (%s)', async (name) => {
    const dialect = dialectByName(name, { effort: 'off' })
    const open =
      name === 'deepseek-v4.1'
        ? '<｜DSML｜ calls>'
        : `<｜DSML｜${name === 'deepseek-v3.2' ? 'function' : 'tool'}_calls>`
    const pieces = ['Look:\n\n', open, '\n', '<｜DSML｜', 'invoke name="move">', 'verb: pull', '</invoke>', ' done']
    const { message, malformed } = await said(pieces, { dialect, kind: 'tiny-ds4-copy', tools: narrow })
    expect(malformed, message.raw).toEqual([])
    expect(message.calls.length, message.raw).toBeGreaterThan(0)
    for (const call of message.calls) expect(isNarrow(call.arguments), message.raw).toBe(true)
  })
})

describe('what is on disk', () => {
  const read = (path: string) => [
    '<tool_call>\n',
    '{"name": "read", "arguments": {"path": ',
    `"${path}`,
    '"}}\n',
    '</tool_call>',
    ' Then.',
  ]

  test.each([
    ['src/app.py', 'src/app.py'],
    ['./notes.txt', './notes.txt'],
    ['src/nope.py', /^(?:src\/app\.py|notes\.txt)$/],
    ['src/link.py', /^(?:src\/app\.py|notes\.txt)$/],
    ['../elsewhere', /^(?:src\/app\.py|notes\.txt)$/],
    ['/etc/passwd', /notes\.txt$|src\/app\.py$/],
  ])('read of %s reads a file that exists', async (path, expected) => {
    const { message } = await said(read(path))
    const { path: named } = message.calls[0]!.arguments as { readonly path: string }
    if (typeof expected === 'string') expect(named).toBe(expected)
    else expect(named).toMatch(expected)
  })

  test('without a folder any path may be said', async () => {
    const { message } = await said(read('src/nope.py'), { held: false })
    expect(message.calls).toMatchObject([{ name: 'read', arguments: { path: 'src/nope.py' } }])
  })

  test('the old side of an edit stays as it is where the file has it', async () => {
    const old = 'def f(x):\\n    return \\"ü\\"'
    const edit = [
      '<tool_call>\n',
      '{"name": "edit", "arguments": {"path": ',
      '"src/app.py", "old": "',
      old,
      '", "new": "',
      'y',
      '"}}\n',
      '</tool_call>',
      '!',
    ]
    const { message } = await said(edit)
    const wanted = { path: 'src/app.py', old: 'def f(x):\n    return "ü"', new: 'y' }
    expect(message.calls).toMatchObject([{ name: 'edit', arguments: wanted }])
  })

  test('an old side that is nowhere is left to the tool, which says so', async () => {
    const edit = [
      '<tool_call>\n',
      '{"name": "edit", "arguments": {"path": ',
      '"src/app.py", "old": "',
      'class Whale',
      '", "new": "',
      'y',
      '"}}\n',
      '</tool_call>',
      '!',
    ]
    const { message, malformed } = await said(edit)
    expect(malformed).toEqual([])
    expect(message.calls).toMatchObject([
      { name: 'edit', arguments: { path: 'src/app.py', old: 'class Whale', new: 'y' } },
    ])
  })
})

test('several calls, and words between them', async () => {
  const { message } = await said([
    'First ',
    '<tool_call>\n',
    '{"name": "read", "arguments": {"path": "notes.txt"}}',
    '\n</tool_call>',
    ' and ',
    '<tool_call>',
    '\n{"name": "read", "arguments": {"path": "src/app.py"}}\n',
    '</tool_call>',
    ' Then words.',
  ])
  expect(message.calls.map((call) => call.arguments)).toEqual([{ path: 'notes.txt' }, { path: 'src/app.py' }])
  expect(message.text).toMatch(/^First\s+and\s/)
})

const real = process.env['CACHALOT_REAL_MODEL']
if (real) {
  test('a real model that is asked for a call gives one that the schema takes', async () => {
    engine = await openEngine({ file: real, contextTokens: 4096 })
    const model = openEmbedded({ engine, dialect: dialectByName('qwen'), info, sampling: greedy })
    const ask = 'Read the file src/ap.py with the read tool. Answer with a tool call.'
    const messages: Message[] = [
      { role: 'system', text: 'You are a coding agent.', tools: specs },
      { role: 'user', text: ask },
    ]
    const session = await model.start([{ name: 'conversation', messages }])
    const events: ModelEvent[] = []
    const signal = new AbortController().signal
    for await (const event of session.respond({
      signal,
      maxTokens: 200,
      folder: { path: folder, seen: ['src/app.py'] },
    }))
      events.push(event)
    const calls = events.flatMap((event) => (event.type === 'call' ? [event.call] : []))
    expect(events.filter(({ type }) => type === 'malformed')).toEqual([])
    expect(calls.length).toBeGreaterThan(0)
    for (const { name, arguments: given } of calls) expect(parseCall(allTools, name, given).ok).toBe(true)
    expect(calls[0]).toMatchObject({ name: 'read', arguments: { path: 'src/app.py' } })
  }, 120_000)
}
