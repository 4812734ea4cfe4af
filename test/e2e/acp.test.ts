/** `cachalot acp` as an editor uses it: the protocol's own client, over the program's stdin and stdout. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import * as acp from '@agentclientprotocol/sdk'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { editCall } from './calls.ts'
import { environment, launcher, type Scratch, scratch } from './program.ts'

let place: Scratch
let child: ChildProcess | undefined
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n' })
})
afterEach(() => {
  child?.kill('SIGKILL')
  child = undefined
  place.remove()
})

interface Editor {
  readonly updates: acp.SessionUpdate[]
  readonly asked: acp.RequestPermissionRequest[]
  readonly agent: acp.ClientContext
  /** Closes the program's stdin, as an editor does that ends. */
  exit(): Promise<number | null>
}

function editor(replies: readonly object[], answer = 'once'): Editor {
  const words = [launcher, 'acp', '--model', place.script(replies)]
  const program = spawn(process.execPath, words, { env: environment(place.home), stdio: ['pipe', 'pipe', 'inherit'] })
  child = program
  const updates: acp.SessionUpdate[] = []
  const asked: acp.RequestPermissionRequest[] = []
  const { session } = acp.methods.client
  const connection = acp
    .client({ name: 'test' })
    .onNotification(session.update, ({ params }) => {
      updates.push(params.update)
    })
    .onRequest(session.requestPermission, ({ params }) => {
      asked.push(params)
      return { outcome: { outcome: 'selected', optionId: answer } }
    })
    .connect(
      acp.ndJsonStream(Writable.toWeb(program.stdin), Readable.toWeb(program.stdout) as ReadableStream<Uint8Array>),
    )
  const exit = (): Promise<number | null> => {
    program.stdin.end()
    return new Promise((resolve) =>
      program.exitCode === null ? program.once('exit', resolve) : resolve(program.exitCode),
    )
  }
  return { updates, asked, agent: connection.agent, exit }
}

const start = async ({ agent }: Editor): Promise<acp.NewSessionResponse> => {
  await agent.request(acp.methods.agent.initialize, { protocolVersion: acp.PROTOCOL_VERSION, clientCapabilities: {} })
  return await agent.request(acp.methods.agent.session.new, { cwd: place.repo, mcpServers: [] })
}
const ask = ({ agent }: Editor, sessionId: string, text: string): Promise<acp.PromptResponse> =>
  agent.request(acp.methods.agent.session.prompt, { sessionId, prompt: [{ type: 'text', text }] })
const said = (updates: readonly acp.SessionUpdate[]): string =>
  updates
    .map((each) =>
      each.sessionUpdate === 'agent_message_chunk' && each.content.type === 'text' ? each.content.text : '',
    )
    .join('')

test('a change is asked for with its difference, made, and shown; the words stream', async () => {
  const one = editor([{ text: 'I change it.', calls: [editCall('a.txt', 'one', 'two')] }, { text: 'It says two now.' }])
  const { sessionId, modes } = await start(one)
  expect(modes?.currentModeId).toBe('ask')
  expect(modes?.availableModes.map(({ id }) => id)).toEqual(['plan', 'ask', 'auto-edit', 'auto'])
  expect(await ask(one, sessionId, 'Change one to two in a.txt')).toMatchObject({ stopReason: 'end_turn' })
  expect(place.read('a.txt')).toBe('two\n')
  const file = join(place.repo, 'a.txt')
  expect(one.asked).toHaveLength(1)
  expect(one.asked[0]?.toolCall).toMatchObject({
    kind: 'edit',
    content: [{ type: 'diff', path: file, oldText: 'one\n', newText: 'two\n' }],
  })
  expect(said(one.updates)).toContain('I change it.')
  expect(said(one.updates)).toContain('It says two now.')
  const call = one.updates.find((each) => each.sessionUpdate === 'tool_call')
  expect(call).toMatchObject({ kind: 'edit', title: 'edit a.txt', status: 'in_progress', locations: [{ path: file }] })
  const result = one.updates.find((each) => each.sessionUpdate === 'tool_call_update')
  expect(result).toMatchObject({ status: 'completed', content: [{ type: 'diff', path: file, newText: 'two\n' }] })
  expect(await one.exit()).toBe(0)
})

test('a no is a no; the mode auto-edit does not ask; plan changes nothing', async () => {
  const edits = [editCall('a.txt', 'one', 'two')]
  const one = editor(
    [
      { calls: edits },
      { text: 'Then not.' },
      { text: 'Really not.' },
      { calls: edits },
      { text: 'Done.' },
      { calls: [editCall('a.txt', 'two', 'three')] },
      { text: 'I only plan.' },
      { text: 'Nothing else.' },
    ],
    'no',
  )
  const { sessionId } = await start(one)
  await ask(one, sessionId, 'Change a.txt')
  expect(place.read('a.txt')).toBe('one\n')
  expect(one.updates.find((each) => each.sessionUpdate === 'tool_call_update')).toMatchObject({ status: 'failed' })
  const setMode = (modeId: string) => one.agent.request(acp.methods.agent.session.setMode, { sessionId, modeId })
  await setMode('auto-edit')
  await ask(one, sessionId, 'Change a.txt now')
  expect(one.asked).toHaveLength(1)
  expect(place.read('a.txt')).toBe('two\n')
  await setMode('plan')
  await ask(one, sessionId, 'Change a.txt again')
  expect(place.read('a.txt')).toBe('two\n')
  await expect(setMode('yolo')).rejects.toThrow(/modes are: plan, ask/)
})

test('cancel ends the prompt, and the session goes on', async () => {
  const one = editor([{ text: 'word '.repeat(200), chunkMs: 50 }, { text: 'Here I am.' }])
  const { sessionId } = await start(one)
  const prompt = ask(one, sessionId, 'Talk')
  while (said(one.updates) === '') await new Promise((resolve) => setTimeout(resolve, 10))
  await expect(ask(one, sessionId, 'And this?')).rejects.toThrow(/a prompt is being answered/)
  await one.agent.notify(acp.methods.agent.session.cancel, { sessionId })
  expect(await prompt).toMatchObject({ stopReason: 'cancelled' })
  expect(await ask(one, sessionId, 'Are you there?')).toMatchObject({ stopReason: 'end_turn' })
  expect(said(one.updates)).toContain('Here I am.')
})

test('a session is listed, loaded and told again; what is wrong is said', async () => {
  const one = editor([{ text: 'Noted.' }])
  const { sessionId } = await start(one)
  await ask(one, sessionId, 'Remember the whale')
  await one.exit()
  const two = editor([{ text: 'The whale.' }])
  const { session } = acp.methods.agent
  await two.agent.request(acp.methods.agent.initialize, { protocolVersion: 1, clientCapabilities: {} })
  const { sessions } = await two.agent.request(session.list, { cwd: place.repo })
  expect(sessions).toMatchObject([{ sessionId, cwd: place.repo, title: 'Remember the whale' }])
  await two.agent.request(session.load, { sessionId, cwd: place.repo, mcpServers: [] })
  expect(two.updates).toMatchObject([
    { sessionUpdate: 'user_message_chunk', content: { text: 'Remember the whale' } },
    { sessionUpdate: 'agent_message_chunk', content: { text: 'Noted.' } },
  ])
  await ask(two, sessionId, 'What was it?')
  expect(said(two.updates)).toContain('The whale.')
  const nowhere = { cwd: join(mkdtempSync(join(place.home, 'x')), 'none'), mcpServers: [] }
  await expect(two.agent.request(session.new, nowhere)).rejects.toThrow(/is not the absolute path of a folder/)
  await expect(ask(two, 'nobody', 'Hi')).rejects.toThrow(/nobody|not found/i)
})
