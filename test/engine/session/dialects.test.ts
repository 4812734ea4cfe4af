/** What a session adds to dialects whose turns end in other ways than ChatML's. */
import { describe, expect, test } from 'vitest'
import { dialectByName, type Message, type ModelEvent, type ModelSession, openEmbedded } from '../../../engine/index.ts'
import { tools } from '../dialects/parse.ts'
import { decode, fakeEngine } from '../fake-engine.ts'

const user: Message = { role: 'user', text: 'go' }
const system: Message = { role: 'system', text: 'You code.', tools }
const result = (callId: string, text: string): Message => ({ role: 'tool', callId, name: 'read', text, ok: true })

async function open(dialect: string, replies: string[]) {
  const engine = fakeEngine({ reply: () => replies.shift() ?? '' })
  const info = { name: 'fake', finishes: 'words', prompt: 'full' } as const
  const sampling = { temperature: 0, topP: 1, topK: 0, minP: 0, repeatPenalty: 1, seed: 1 }
  const model = openEmbedded({ engine, dialect: dialectByName(dialect), info, sampling })
  const session = await model.start([{ name: 'system', messages: [system, user] }])
  return { session, prompt: () => decode(engine.prompts.at(-1) ?? []) }
}

async function answer(session: ModelSession): Promise<Extract<ModelEvent, { type: 'done' }>> {
  let last: ModelEvent | undefined
  for await (const event of session.respond({ signal: new AbortController().signal, maxTokens: 1_000 })) last = event
  if (last?.type !== 'done') throw new Error(`no end: ${JSON.stringify(last)}`)
  return last
}

describe('harmony', () => {
  const call =
    '<|channel|>analysis<|message|>hm<|end|><|start|>assistant to=functions.read<|channel|>commentary json<|message|>{"path": "a.py"}'

  test('control tokens that the parser reads have their text back, and each reply gets the end it needs', async () => {
    const { session, prompt } = await open('harmony', [
      `${call}<|call|>`,
      '<|channel|>final<|message|>ok<|return|>',
      '',
    ])
    const first = await answer(session)
    expect(first.message).toMatchObject({ reasoning: 'hm', calls: [{ name: 'read', arguments: { path: 'a.py' } }] })
    await session.append([result('call_1', 'x')])
    const second = await answer(session)
    expect(prompt()).toContain(
      `<|start|>assistant${call}<|call|><|start|>functions.read to=assistant<|channel|>commentary`,
    )
    expect(second.message.text).toBe('ok')
    await session.append([user])
    await answer(session)
    // A final answer is told again with <|end|>, as the format wants it.
    expect(prompt()).toContain('<|channel|>final<|message|>ok<|end|><|start|>user<|message|>go')
    expect(prompt()).not.toContain('<|return|>')
  })
})

describe('glm', () => {
  test('the token that begins the next turn ends a reply and is not kept', async () => {
    const call = 'hm</think><tool_call>read<arg_key>path</arg_key><arg_value>a.py</arg_value></tool_call>'
    const { session, prompt } = await open('glm', [`${call}<|observation|>`, 'so</think>ok<|user|>', ''])
    expect((await answer(session)).message).toMatchObject({ reasoning: 'hm', calls: [{ name: 'read' }] })
    await session.append([result('call_1', 'x')])
    expect((await answer(session)).message.text).toBe('ok')
    await session.append([user])
    await answer(session)
    expect(prompt()).toContain(
      `<|assistant|><think>${call}<|observation|><tool_response>x</tool_response><|assistant|><think>`,
    )
    expect(prompt()).toMatch(/so<\/think>ok<\|user\|>go<\|assistant\|><think>$/)
  })
})

test('results go in the order of the calls, however they arrive', async () => {
  const invoke = (path: string) =>
    `<｜DSML｜invoke name="read">\n<｜DSML｜parameter name="path" string="true">${path}</｜DSML｜parameter>\n</｜DSML｜invoke>\n`
  const calls = `hm</think>\n\n<｜DSML｜tool_calls>\n${invoke('a')}${invoke('b')}</｜DSML｜tool_calls><|endoftext|>`
  const { session, prompt } = await open('deepseek-v4', [calls, ''])
  await answer(session)
  await session.append([result('call_2', 'of b'), result('call_1', 'of a'), user])
  await answer(session)
  expect(prompt()).toContain(
    '<｜User｜><tool_result>of a</tool_result>\n\n<tool_result>of b</tool_result>\n\ngo<｜Assistant｜><think>',
  )
})
