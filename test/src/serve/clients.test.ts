/** The real packages of OpenAI and Anthropic against the server. */
import type { ChatCompletionTool } from 'openai/resources/chat/completions'
import type { ResponseFunctionToolCall, ResponseInput } from 'openai/resources/responses/responses'
import { afterEach, expect, test } from 'vitest'
import { type Served, type ServedOptions, served } from './served.ts'

let server: Served
afterEach(() => server.close())
const open = async (options: ServedOptions): Promise<Served> => {
  server = await served(options)
  return server
}

const weather = {
  name: 'get_weather',
  description: 'The weather now.',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
}
const tools: ChatCompletionTool[] = [{ type: 'function', function: weather }]
const call = 'I look.\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call><|im_end|>'
/** Calls once, then says what came back. */
const callsOnce = (prompt: string): string => {
  const result = /<tool_response>\n(.*)\n<\/tool_response>/.exec(prompt)?.[1]
  return result === undefined ? call : `It is ${result}.<|im_end|>`
}

test('chat: whole, with usage and log-probabilities', async () => {
  const { openai } = await open({ reply: () => 'Hello!<|im_end|>' })
  const { choices, usage, model } = await openai.chat.completions.create({
    model: 'fake',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
    logprobs: true,
  })
  expect(model).toBe('fake')
  expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant', content: 'Hello!' } })
  expect(choices[0]?.logprobs?.content?.map(({ token }) => token).join('')).toBe('Hello!')
  expect(choices[0]?.logprobs?.content?.[0]).toMatchObject({ token: 'H', logprob: -1, bytes: [72] })
  expect(usage).toMatchObject({ completion_tokens: 7, prompt_tokens_details: { cached_tokens: 0 } })
})

test('chat: streamed, with log-probabilities beside their words and the usage at the end', async () => {
  const { openai } = await open({ reply: () => 'Hello, you there!<|im_end|>' })
  const stream = await openai.chat.completions.create({
    model: 'fake',
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
    logprobs: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  const tokens: string[] = []
  let last: unknown
  let finish: string | null | undefined
  for await (const chunk of stream) {
    const [choice] = chunk.choices
    text += choice?.delta.content ?? ''
    tokens.push(...(choice?.logprobs?.content ?? []).map(({ token }) => token))
    finish = choice?.finish_reason ?? finish
    last = chunk.usage
  }
  expect(text).toBe('Hello, you there!')
  expect(tokens.join('')).toBe(text)
  expect(finish).toBe('stop')
  expect(last).toMatchObject({ completion_tokens: 18 })
})

test.each([false, true])('chat: a tool of the client is called and answered (streamed: %s)', async (stream) => {
  const { openai } = await open({ reply: callsOnce })
  const body = {
    model: 'fake',
    messages: [{ role: 'user' as const, content: 'Weather in Paris?' }],
    tools: [
      {
        type: 'function' as const,
        function: {
          ...weather,
          parse: JSON.parse as (text: string) => { city: string },
          function: ({ city }: { city: string }) => `22 degrees in ${city}`,
        },
      },
    ],
  }
  const { chat } = openai
  const runner = stream ? chat.completions.runTools({ ...body, stream }) : chat.completions.runTools(body)
  expect(await runner.finalContent()).toBe('It is 22 degrees in Paris.')
})

test('chat: only what is offered can be called; without tools a fence is text', async () => {
  const fence = '```json\n{"name": "x", "arguments": {}}\n```'
  const { openai } = await open({ reply: () => `${fence}<|im_end|>` })
  const messages = [{ role: 'user' as const, content: 'An example, please' }]
  const plain = await openai.chat.completions.create({ model: 'fake', messages })
  expect(plain.choices[0]?.message).toMatchObject({ content: fence })
  const none = await openai.chat.completions.create({ model: 'fake', messages, tools, tool_choice: 'none' })
  expect(none.choices[0]?.message.content).toBe(fence)
})

test('chat: stop texts end the reply, max_tokens cuts it', async () => {
  const { openai } = await open({ reply: () => 'one two three four<|im_end|>' })
  const messages = [{ role: 'user' as const, content: 'Count' }]
  const stopped = await openai.chat.completions.create({ model: 'fake', messages, stop: ['xyz', ' three'] })
  expect(stopped.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'one two' } })
  const cut = await openai.chat.completions.create({ model: 'fake', messages, max_completion_tokens: 3 })
  expect(cut.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'one' } })
})

test.each([false, true])('responses: words, a call, its output (streamed: %s)', async (streamed) => {
  const { openai } = await open({ reply: callsOnce })
  const tool = { type: 'function' as const, strict: false, ...weather }
  const ask = async (input: ResponseInput | string) => {
    const body = { model: 'fake', instructions: 'Be short.', input, tools: [tool] }
    return streamed ? await openai.responses.stream(body).finalResponse() : await openai.responses.create(body)
  }
  const first = await ask('Weather in Paris?')
  expect(first.output.map(({ type }) => type)).toEqual(['message', 'function_call'])
  const made = first.output.find(({ type }) => type === 'function_call') as ResponseFunctionToolCall | undefined
  expect(made).toMatchObject({ name: 'get_weather', arguments: '{"city":"Paris"}' })
  const second = await ask([
    { role: 'user', content: 'Weather in Paris?' },
    ...(first.output as ResponseInput),
    { type: 'function_call_output', call_id: made?.call_id ?? '', output: '22 degrees' },
  ])
  expect(second).toMatchObject({ status: 'completed', output_text: 'It is 22 degrees.' })
  expect(second.usage?.input_tokens_details.cached_tokens).toBeGreaterThan(200)
})

test.each([false, true])('messages: thinking, words, a call, its result (streamed: %s)', async (streamed) => {
  const { anthropic } = await open({ reply: (prompt) => `<think>\nHm.\n</think>\n\n${callsOnce(prompt)}` })
  const ask = async (messages: Parameters<typeof anthropic.messages.create>[0]['messages']) => {
    const body = {
      ...{ model: 'fake', max_tokens: 500, messages, system: [{ type: 'text' as const, text: 'Be short.' }] },
      tools: [
        {
          name: weather.name,
          description: weather.description,
          input_schema: { ...weather.parameters, type: 'object' as const },
        },
      ],
    }
    return streamed ? await anthropic.messages.stream(body).finalMessage() : await anthropic.messages.create(body)
  }
  const question = { role: 'user' as const, content: 'Weather in Paris?' }
  const first = await ask([question])
  expect(first.stop_reason).toBe('tool_use')
  expect(first.content.map(({ type }) => type)).toEqual(['thinking', 'text', 'tool_use'])
  const use = first.content.find((block) => block.type === 'tool_use')
  expect(use).toMatchObject({ name: 'get_weather', input: { city: 'Paris' } })
  const result = { type: 'tool_result' as const, tool_use_id: use?.id ?? '', content: '22 degrees' }
  const second = await ask([
    question,
    { role: 'assistant', content: first.content },
    { role: 'user', content: [result] },
  ])
  expect(second.content.at(-1)).toMatchObject({ type: 'text', text: 'It is 22 degrees.' })
  expect(second.stop_reason).toBe('end_turn')
  // What it read is the prompt, split into what was there and what was not.
  expect(second.usage.cache_read_input_tokens).toBeGreaterThan(200)
})

test('messages: a stop sequence is named, tokens are counted', async () => {
  const { anthropic } = await open({ reply: () => 'one two three<|im_end|>' })
  const messages = [{ role: 'user' as const, content: 'Count' }]
  const said = await anthropic.messages.create({ model: 'fake', max_tokens: 50, messages, stop_sequences: ['two'] })
  expect(said).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'two' })
  expect((await anthropic.messages.countTokens({ model: 'fake', messages })).input_tokens).toBeGreaterThan(5)
})

test('models are listed', async () => {
  const { openai, anthropic } = await open({ reply: () => '<|im_end|>' })
  expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(['fake'])
  expect((await anthropic.models.list()).data.map(({ id }) => id)).toEqual(['fake'])
  expect((await openai.models.retrieve('fake')).id).toBe('fake')
})
