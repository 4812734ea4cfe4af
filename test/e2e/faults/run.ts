/** One run of the built program against a server that fails on purpose, and what must hold of it whatever happens. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Options } from 'execa'
import { expect } from 'vitest'
import type { AgentEvent } from '../../../agent/index.ts'
import { type FakeOpenAi, type FakeReply, type Fault, startFakeOpenAi } from '../../fake-openai/server.ts'
import { editCall, shellCall } from '../calls.ts'
import { eventsOf, type Scratch, scratch } from '../program.ts'

/** A task of three requests: a command whose every run leaves a line, an edit, words. */
export const job: readonly FakeReply[] = [
  { reasoning: 'First the command.', text: 'I run it.', calls: [shellCall('echo ran >> ran.txt')] },
  { text: 'Now the edit.', calls: [editCall('a.txt', 'one', 'two')] },
  { text: 'The edit is made.' },
]

export const files = { 'a.txt': 'one\n', 'b.txt': 'untouched\n', 'src/c.js': 'export const c = 1\n' }

export interface FaultRun {
  readonly place: Scratch
  readonly server: FakeOpenAi
  readonly exitCode: number | undefined
  readonly events: readonly AgentEvent[]
  readonly result: Extract<AgentEvent, { type: 'result' }>
  readonly seconds: number
}

const opened: { place: Scratch; server: FakeOpenAi }[] = []

/** Takes away what the runs of a test left. */
export async function cleanUp(): Promise<void> {
  for (const { place, server } of opened.splice(0)) {
    place.remove()
    await server.close()
  }
}

export async function open(
  faults: Readonly<Record<number, Fault>> | ((request: number) => Fault | undefined) = {},
  replies: readonly FakeReply[] = job,
) {
  const place = scratch(files)
  const server = await startFakeOpenAi(replies, faults)
  opened.push({ place, server })
  return { place, server }
}

export const wordsFor = (server: FakeOpenAi, more: readonly string[] = [], task = 'Change a.txt'): string[] => [
  ...['run', task, '--json', '--base-url', server.baseUrl, '--model', 'fake'],
  ...more,
]

/** Runs the task and asserts I2, I3 and I12, which no fault excuses. */
export async function perform(
  { place, server }: { readonly place: Scratch; readonly server: FakeOpenAi },
  words: readonly string[] = wordsFor(server),
  options: Options = {},
): Promise<FaultRun> {
  const began = performance.now()
  const { exitCode, stdout } = await place.run(words, options)
  const seconds = (performance.now() - began) / 1000
  const events = eventsOf(stdout)
  const results = events.filter((event) => event.type === 'result')
  expect(results).toHaveLength(1)
  const result = events.at(-1)
  if (result?.type !== 'result') throw new Error('the last line is no result')
  expect(result.exitCode).toBe(exitCode)
  growsOnly(server)
  answersEachCall(server)
  return { place, server, exitCode, events, result, seconds }
}

/** I2: what was asked before stands at the beginning of what is asked next, to the byte; so do the tools. */
function growsOnly({ requests }: FakeOpenAi): void {
  for (const [at, { body }] of requests.entries()) {
    const before = requests[at - 1]?.body
    if (before === undefined) continue
    expect(JSON.stringify(body['tools'])).toBe(JSON.stringify(before['tools']))
    const now = body.messages.slice(0, before.messages.length).map((message) => JSON.stringify(message))
    expect(now).toEqual(before.messages.map((message) => JSON.stringify(message)))
  }
}

/** I3: each call of a reply has one result, in the order of the calls, before anything else is said. */
function answersEachCall({ requests }: FakeOpenAi): void {
  for (const { body } of requests) {
    const { messages } = body
    const ids = new Set<unknown>()
    for (const [at, message] of messages.entries()) {
      const calls = (message['tool_calls'] ?? []) as { id: string }[]
      const answers = messages.slice(at + 1, at + 1 + calls.length)
      expect(answers.map(({ role }) => role)).toEqual(calls.map(() => 'tool'))
      expect(answers.map((answer) => answer['tool_call_id'])).toEqual(calls.map(({ id }) => id))
      for (const { id } of calls) {
        expect(ids.has(id) || id === '').toBe(false)
        ids.add(id)
      }
    }
    const results = messages.filter(({ role }) => role === 'tool')
    expect(results).toHaveLength(ids.size)
  }
}

/** I1 and I4: the command ran once, the edit is made, nothing else differs. */
export function jobIsDone({ place }: Pick<FaultRun, 'place'>): void {
  expect(Object.fromEntries(place.snapshot())).toEqual({ ...files, 'a.txt': 'two\n', 'ran.txt': 'ran\n' })
}

/** Bytes and time of the last change of a file. */
export const stateOf = (place: Scratch, path: string): string =>
  `${statSync(join(place.repo, path)).mtimeMs} ${readFileSync(join(place.repo, path), 'utf8')}`
