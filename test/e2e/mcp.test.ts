/** The Model Context Protocol both ways, by the built program: tools of a server in a run, and we as a server. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { editCall } from './calls.ts'
import { environment, eventsOf, launcher, processesWith, projectRoot, type Scratch, scratch } from './program.ts'

let place: Scratch
let client: Client | undefined
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n' })
})
afterEach(async () => {
  await client?.close()
  client = undefined
  place.remove()
})

const program = join(projectRoot, 'test', 'src', 'mcp', 'programs', 'server.ts')

/** The user's configuration, with the server of the tests in it. */
function configure(file: string, more = ''): void {
  mkdirSync(join(file, '..'), { recursive: true })
  const command = JSON.stringify(process.execPath)
  writeFileSync(file, `[mcp.t]\ncommand = ${command}\nargs = [${JSON.stringify(program)}]\nallow = ["add"]\n${more}`)
}
const userFile = (): string => join(place.home, 'own', 'config', 'config.toml')

test('a run calls what is listed, is refused what is not, and a broken server does not stop it', async () => {
  configure(userFile(), '[mcp.gone]\ncommand = "/nowhere/at-all"\n')
  const model = place.script([
    { calls: [{ name: 'mcp_t_add', arguments: { a: 2, b: 40 } }] },
    { calls: [{ name: 'mcp_t_where', arguments: {} }] },
    { text: 'It is 42.' },
    { text: 'It is 42, as I said.' },
  ])
  const { stdout } = await place.run(['run', 'Add 2 and 40', '--model', model, '--json'])
  const events = eventsOf(stdout)
  const results = events.flatMap((event) => (event.type === 'tool-result' ? [event] : []))
  expect(results[0]?.result).toMatchObject({
    ok: true,
    content: '42',
    details: { kind: 'call', server: 't', tool: 'add' },
  })
  expect(results[1]?.result).toMatchObject({ ok: false, details: { reason: 'denied' } })
  expect(results[1]?.result.content).toMatch(/runs outside of the sandbox.*Nobody can be asked/)
  expect(events.find((event) => event.type === 'notice' && event.text.includes('gone is left out'))).toBeDefined()
  expect(events.at(-1)?.type).toBe('result')
  const { stdout: audited } = await place.run(['audit', 'last'])
  expect(audited).toContain('add of the MCP server t')
  expect(processesWith(`CACHALOT_HOME=${place.home}`)).toEqual([])
})

test("a repository's servers are not started", async () => {
  configure(join(place.repo, '.cachalot', 'config.toml'))
  const model = place.script([
    { calls: [{ name: 'mcp_t_add', arguments: { a: 2, b: 40 } }] },
    { text: 'No.' },
    { text: 'No.' },
  ])
  const { stdout } = await place.run(['run', 'Add 2 and 40', '--model', model, '--json'])
  const events = eventsOf(stdout)
  expect(events.find((event) => event.type === 'notice' && /\[mcp\] is ignored/.test(event.text))).toBeDefined()
  expect(events.find((event) => event.type === 'tool-result')).toMatchObject({
    result: { details: { reason: 'unknown-tool' } },
  })
})

async function connect(replies: readonly object[]): Promise<Client> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [launcher, 'mcp', '--cwd', place.repo, '--model', place.script(replies)],
    env: environment(place.home),
  })
  client = new Client({ name: 'test', version: '1.0.0' })
  await client.connect(transport)
  return client
}
const textOf = (result: Awaited<ReturnType<Client['callTool']>>): string =>
  result.content.map((part) => (part.type === 'text' ? part.text : '')).join('')

test('another agent gives a task, sees the difference, and takes it back', async () => {
  const agent = await connect([{ calls: [editCall('a.txt', 'one', 'two')] }, { text: 'It says two now.' }])
  expect((await agent.listTools()).tools.map(({ name }) => name)).toEqual(['run', 'fix', 'undo'])
  const messages: (string | undefined)[] = []
  const onprogress = ({ message }: { message?: string | undefined }): void => void messages.push(message)
  const run = { name: 'run', arguments: { task: 'Change one to two in a.txt', check: 'grep -q two a.txt' } }
  const done = await agent.callTool(run, { onprogress })
  expect(done.isError).toBe(false)
  expect(textOf(done)).toMatch(/^done \(exit code 0\)\n\nIt says two now\./)
  expect(textOf(done)).toContain('-one\n+two')
  expect(textOf(done)).toMatch(/passed: check/)
  expect(messages).toContain('did edit')
  expect(place.read('a.txt')).toBe('two\n')
  const back = await agent.callTool({ name: 'undo', arguments: {} })
  expect(back.isError).toBe(false)
  expect(place.read('a.txt')).toBe('one\n')
})

test('what cannot be done is an error in words; a call that is cancelled leaves no process', async () => {
  const agent = await connect([{ text: 'word '.repeat(500), chunkMs: 50 }])
  const green = await agent.callTool({ name: 'fix', arguments: { check: 'true' } })
  expect(green.isError).toBe(true)
  expect(textOf(green)).toMatch(/not-reproducible \(exit code 6\)/)
  const stop = new AbortController()
  const going = agent.callTool({ name: 'run', arguments: { task: '@/etc/passwd --json' } }, { signal: stop.signal })
  const working = (): string[] => processesWith(`CACHALOT_HOME=${place.home}`).filter((line) => line.includes(' run '))
  while (working().length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  stop.abort()
  await expect(going).rejects.toThrow()
  const since = performance.now()
  while (working().length > 0 && performance.now() - since < 5000)
    await new Promise((resolve) => setTimeout(resolve, 20))
  expect(working()).toEqual([])
})
