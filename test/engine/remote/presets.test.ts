/** Every preset against a server that enforces the rules of its kind. */
import { afterEach, describe, expect, test } from 'vitest'
import {
  type Effort,
  isPeak,
  type Message,
  type ModelEvent,
  openRemote,
  type PresetName,
  RemoteSetupError,
  remotePresets,
} from '../../../engine/index.ts'
import { tools } from '../dialects/parse.ts'
import { chunk, events, type FakeServer, fakeServer, type Handler, type Received, status } from './fake-server.ts'

interface Body {
  readonly model?: string
  readonly thinking?: { readonly type?: string }
  readonly reasoning_effort?: string
  readonly chat_template_kwargs?: Readonly<Record<string, unknown>>
  readonly tools?: readonly unknown[]
  readonly messages: readonly {
    readonly role: string
    readonly content: string
    readonly reasoning_content?: string
    readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly arguments: string } }[]
    readonly tool_call_id?: string
  }[]
}

type Rule = (body: Body) => string | undefined

/** Reasoning has to come back with every reply that called a tool, in all later requests. */
const reasoningBack: Rule = ({ messages }) =>
  messages.some((message) => message.tool_calls !== undefined && message.reasoning_content === undefined)
    ? 'The `reasoning_content` in the thinking mode must be passed back to the API.'
    : undefined

/** Every call is answered, its arguments are a JSON text, and tools are declared in every request. */
const wholeCalls: Rule = ({ messages, tools: declared }) => {
  if (declared?.length !== tools.length) return 'tools are missing'
  for (const [index, message] of messages.entries()) {
    for (const call of message.tool_calls ?? []) {
      JSON.parse(call.function.arguments)
      if (!messages.slice(index).some((later) => later.tool_call_id === call.id)) return `call ${call.id} has no result`
    }
  }
  return undefined
}

const templateArguments =
  (key: string, efforts: readonly string[]): Rule =>
  ({ chat_template_kwargs: given, ...body }) => {
    if (body.thinking !== undefined || body.reasoning_effort !== undefined) return 'extra fields are not permitted'
    if (given === undefined) return undefined
    if (typeof given[key] !== 'boolean') return `${key} must be said`
    const effort = given['reasoning_effort']
    return given[key] === (effort !== undefined) && (effort === undefined || efforts.includes(String(effort)))
      ? undefined
      : 'wrong reasoning_effort'
  }

const rules: Readonly<Record<PresetName, readonly Rule[]>> = {
  deepseek: [
    reasoningBack,
    wholeCalls,
    ({ thinking, reasoning_effort: effort, chat_template_kwargs: kwargs }) => {
      if (kwargs !== undefined) return 'unknown field chat_template_kwargs'
      if (thinking?.type === 'disabled') return effort === undefined ? undefined : 'effort without thinking'
      if (thinking?.type !== 'enabled') return 'thinking must be enabled or disabled'
      return ['low', 'high', 'max'].includes(effort ?? '') ? undefined : 'wrong reasoning_effort'
    },
    ({ model }) => (model === 'deepseek-flash' || model === 'deepseek-v4-pro' ? undefined : 'Model Not Exist'),
  ],
  vllm: [reasoningBack, wholeCalls, templateArguments('thinking', ['low', 'high', 'max'])],
  sglang: [reasoningBack, wholeCalls, templateArguments('thinking', ['low', 'high', 'max'])],
  ascend: [reasoningBack, wholeCalls, templateArguments('thinking', ['low', 'high', 'max'])],
  'llama-server': [reasoningBack, wholeCalls, templateArguments('enable_thinking', ['low', 'high', 'max'])],
  ollama: [
    wholeCalls,
    ({ messages, reasoning_effort: effort, chat_template_kwargs: kwargs }) => {
      if (kwargs !== undefined || messages.some((message) => message.reasoning_content !== undefined))
        return 'unknown field'
      return effort === undefined || ['none', 'low', 'high'].includes(effort) ? undefined : 'wrong reasoning_effort'
    },
  ],
}

/** Answers 400 where a rule is broken; else the first time with a call, and with words once it has its result. */
const strict =
  (name: PresetName, thinks: boolean): Handler =>
  async (response, request) => {
    const body = JSON.parse(request.body) as Body
    for (const rule of rules[name]) {
      const problem = rule(body)
      if (problem !== undefined) return status(400, { error: { message: problem } })(response, request)
    }
    const results = body.messages.filter((message) => message.role === 'tool').length
    const call = { index: 0, id: `c${results}`, function: { name: 'read', arguments: '{"path":"a.py"}' } }
    const usage = JSON.stringify({
      choices: [],
      usage: { prompt_tokens: 100, completion_tokens: 9, prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 36 },
    })
    const thought = thinks ? [chunk({ reasoning_content: 'hm' })] : []
    const said =
      results < 2
        ? [chunk({ tool_calls: [call] }), chunk({}, 'tool_calls')]
        : [chunk({ content: 'ok' }), chunk({}, 'stop')]
    return events([...thought, ...said, usage])(response, request)
  }

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const user: Message = { role: 'user', text: 'go' }

/** Two calls, an answer, and a further question. */
async function converse(name: PresetName, effort: Effort | undefined, thinks: boolean): Promise<readonly Received[]> {
  server = await fakeServer(strict(name, thinks))
  const preset = remotePresets[name]
  const model = openRemote({
    baseUrl: server.baseUrl,
    model: preset.model ?? 'm',
    preset,
    effort,
    retries: { count: 0, seconds: 0 },
  })
  const session = await model.start([
    { name: 'system', messages: [{ role: 'system', text: 'You code.', tools }, user] },
  ])
  for (let round = 0; round < 4; round += 1) {
    const seen: ModelEvent[] = []
    for await (const event of session.respond({ signal: new AbortController().signal, maxTokens: 100 }))
      seen.push(event)
    const last = seen.at(-1)
    if (last?.type !== 'done') throw new Error(JSON.stringify(last))
    expect(last.usage).toMatchObject({ promptTokens: 100, cachedTokens: 64, evaluatedTokens: 36, generatedTokens: 9 })
    await session.append(
      last.message.calls.length === 0
        ? [user]
        : last.message.calls.map((call) => ({ role: 'tool', callId: call.id, name: call.name, text: 'x', ok: true })),
    )
  }
  return server.requests
}

const names = Object.keys(remotePresets) as PresetName[]

describe.each(names)('%s', (name) => {
  test.each([undefined, ...remotePresets[name].levels])(
    'effort %s obeys its rules, with and without reasoning',
    async (effort) => {
      for (const thinks of [true, false]) {
        const requests = await converse(name, effort, thinks)
        const bodies = requests.map((request) => request.body.slice(0, request.body.lastIndexOf(']')))
        // The server's cache: what was sent is the beginning of what is sent next.
        for (const [index, body] of bodies.entries()) expect(bodies[index + 1] ?? body).toContain(body)
      }
    },
  )
})

test('the guard bites: without the preset, a reply without reasoning is refused', async () => {
  server = await fakeServer(strict('deepseek', false))
  const model = openRemote({ baseUrl: server.baseUrl, model: 'deepseek-flash', retries: { count: 0, seconds: 0 } })
  const call = { id: 'c', name: 'read', arguments: { path: 'a' } }
  const session = await model.start([
    {
      name: 'conversation',
      messages: [
        { role: 'system', text: 'You code.', tools },
        user,
        { role: 'assistant', reasoning: '', text: '', calls: [call] },
        { role: 'tool', callId: 'c', name: 'read', text: 'x', ok: true },
      ],
    },
  ])
  const seen: ModelEvent[] = []
  for await (const event of session.respond({ signal: new AbortController().signal, maxTokens: 10 })) seen.push(event)
  expect(seen.at(-1)).toMatchObject({
    type: 'error',
    failure: { message: expect.stringContaining('must be passed back') },
  })
})

test('efforts that a server lacks, or its context forbids, are refused before anything is sent', () => {
  const open = (name: PresetName, effort: Effort, contextTokens?: number) =>
    openRemote({
      baseUrl: 'http://127.0.0.1:1/v1',
      model: 'm',
      preset: remotePresets[name],
      effort,
      ...(contextTokens === undefined ? {} : { contextTokens }),
    })
  expect(() => open('ollama', 'max')).toThrow(/ollama has no effort "max"/)
  expect(() => open('vllm', 'max', 131_072)).toThrow(/393216/)
  expect(open('vllm', 'max', 393_216).info.place).toBe('remote')
  expect(() => openRemote({ baseUrl: 'http://127.0.0.1:1/v1', model: 'm', effort: 'high' })).toThrow(RemoteSetupError)
})

test('peak hours are UTC, on workdays', () => {
  expect(isPeak(new Date('2026-11-20T02:00:00Z'))).toBe(true)
  expect(isPeak(new Date('2026-11-20T05:00:00Z'))).toBe(false)
  expect(isPeak(new Date('2026-11-20T09:59:00Z'))).toBe(true)
  expect(isPeak(new Date('2026-11-22T02:00:00Z'))).toBe(false)
})
