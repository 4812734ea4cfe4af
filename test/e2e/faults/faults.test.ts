/** The invariants I1 to I12 of a run, each with the fault that would break it, against the built program. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Fault } from '../../fake-openai/server.ts'
import { editCall, readCall, shellCall } from '../calls.ts'
import { cleanUp, job, jobIsDone, open, perform, stateOf, wordsFor } from './run.ts'

vi.setConfig({ testTimeout: 120_000 })
afterEach(cleanUp)

const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString()

describe('I1, I4, I9: one fault, anywhere, is survived; the finished command is not run again', () => {
  const faults: readonly [string, () => Fault, more: number][] = [
    ['500', () => ({ kind: 'status', status: 500 }), 1],
    ['503', () => ({ kind: 'status', status: 503 }), 1],
    ['429 with seconds', () => ({ kind: 'status', status: 429, headers: { 'retry-after': '1' } }), 1],
    ['429 with a date', () => ({ kind: 'status', status: 429, headers: { 'retry-after': inSeconds(2) } }), 1],
    ['a stream cut before anything', () => ({ kind: 'cut', chunks: 0 }), 1],
    ['a stream cut in the middle', () => ({ kind: 'cut', chunks: 3 }), 1],
    ['JSON that is cut', () => ({ kind: 'garbage' }), 1],
    ['silence, then the answer', () => ({ kind: 'late', ms: 3000 }), 0],
    ['no end marker', () => ({ kind: 'no-marker' }), 0],
    ['one byte at a time', () => ({ kind: 'bytes' }), 0],
  ]
  test.each(faults.flatMap(([name, fault, more]) => [0, 1, 2].map((at) => [name, at, fault, more] as const)))(
    '%s, at request %i',
    async (_, at, fault, more) => {
      const run = await perform(await open({ [at]: fault() }))
      expect(run.result).toMatchObject({ exit: 'done', exitCode: 0 })
      expect(run.server.requests).toHaveLength(job.length + more)
      jobIsDone(run)
    },
  )

  test.each([
    ['a stream cut in the middle of the arguments', { kind: 'cut', chunks: 5 }],
    ['a call with an empty id', { kind: 'ids', id: '' }],
    ['a call with the id of another', { kind: 'ids', id: 'call_2_0' }],
    ['finish_reason length in the middle of a call', { kind: 'length', chunks: 4 }],
    ['an unknown tool', { kind: 'other', reply: { calls: [{ name: 'fly', arguments: { to: 'a.txt' } }] } }],
    ['an edit that matches nowhere', { kind: 'other', reply: { calls: [editCall('a.txt', 'three', 'two')] } }],
    ['arguments that are none', { kind: 'other', reply: { calls: [{ name: 'edit', arguments: 'a.txt' }] } }],
    ['an empty reply', { kind: 'other', reply: {} }],
  ] as const satisfies readonly (readonly [string, Fault])[])('%s', async (_, fault) => {
    // A wrong call has a result too, and the step that is due is told by their number.
    const counted = fault.kind === 'other' && 'calls' in fault.reply
    const replies = [job[0]!, job[1]!, job[1]!, job[2]!]
    const run = await perform(await open({ 1: fault }, counted ? replies : job))
    expect(run.result).toMatchObject({ exit: 'done', exitCode: 0 })
    expect(run.server.requests.length).toBeLessThanOrEqual(job.length + 2)
    jobIsDone(run)
  })
})

test('I4: an edit that fails leaves bytes and time of the file; the run is not done', async () => {
  const at = await open({}, [{ calls: [editCall('a.txt', 'nowhere', 'two')] }, { text: 'I could not.' }])
  const before = stateOf(at.place, 'a.txt')
  const run = await perform(at)
  expect(run.result).toMatchObject({ exit: 'not-done', changes: [] })
  expect(stateOf(at.place, 'a.txt')).toBe(before)
})

describe('I5, I8: no exit 0 and no waiting for ever', () => {
  const full = JSON.stringify({
    error: { message: "This model's maximum context length is 4096 tokens", code: 'context_length_exceeded' },
  })
  test.each<[string, Fault, number]>([
    ['500 for ever', { kind: 'status', status: 500 }, 60],
    ['the context is full', { kind: 'status', status: 400, body: full }, 10],
    ['the key is wrong', { kind: 'status', status: 401 }, 10],
    ['garbage for ever', { kind: 'garbage' }, 60],
    ['every stream is cut', { kind: 'cut', chunks: 3 }, 60],
    ['429 with a wait of an hour', { kind: 'status', status: 429, headers: { 'retry-after': '3600' } }, 10],
  ])('%s: exit 3', async (_, fault, most) => {
    const run = await perform(await open((request) => (request === 0 ? undefined : fault)))
    expect(run.result).toMatchObject({ exit: 'model', exitCode: 3 })
    expect(run.result.text.length).toBeGreaterThan(20)
    expect(run.seconds).toBeLessThan(most)
    expect(run.place.read('ran.txt')).toBe('ran\n')
  })

  test('nobody listens: exit 3, with the address', async () => {
    const at = await open()
    await at.server.close()
    const run = await perform(at)
    expect(run.result).toMatchObject({ exit: 'model' })
    expect(run.result.text).toContain('127.0.0.1')
    expect(run.seconds).toBeLessThan(30)
  })

  test('silence: the limit of time ends it, exit 5', async () => {
    const at = await open({ 1: { kind: 'hang' } })
    const run = await perform(at, wordsFor(at.server, ['--max-seconds', '4']))
    expect(run.result).toMatchObject({ exit: 'limit', exitCode: 5 })
    expect(run.seconds).toBeLessThan(10)
  })
})

describe('I6, I7: loops end by themselves, and nobody is waited for', () => {
  const always = (calls: readonly object[]) =>
    Array.from({ length: 200 }, (_, at) => ({ calls: [calls[at % calls.length] as ReturnType<typeof readCall>] }))
  test.each([
    ['the same call', always([readCall('a.txt')])],
    ['two calls by turns', always([readCall('a.txt'), readCall('b.txt')])],
    ['a tool that is not there', always([{ name: 'fly', arguments: {} }])],
    ['an edit that never fits', always([editCall('a.txt', 'x', 'y')])],
    ['a command that fails', always([shellCall('false')])],
    ['empty replies', [{}]],
  ])('%s', async (_, replies) => {
    const at = await open({}, replies)
    // A stdin that stays open and silent, as a service manager gives it.
    const run = await perform(at, wordsFor(at.server), { stdin: 'pipe' })
    expect(run.result.exit).toBe('not-done')
    expect(at.server.requests.length).toBeLessThanOrEqual(16)
  })

  test('the limit of steps', async () => {
    const replies = Array.from({ length: 200 }, (_, at) => ({ calls: [shellCall(`echo ${at}`)] }))
    const at = await open({}, replies)
    const run = await perform(at, wordsFor(at.server, ['--max-steps', '7']))
    expect(run.result).toMatchObject({ exit: 'limit', exitCode: 5, steps: 7 })
    expect(at.server.requests).toHaveLength(7)
  })

  test('what is not permitted is refused, not asked for', async () => {
    const at = await open()
    const run = await perform(at, wordsFor(at.server, ['--sandbox', 'read-only']), { stdin: 'pipe' })
    expect(run.exitCode).not.toBe(0)
    expect(at.place.read('a.txt')).toBe('one\n')
    expect(run.seconds).toBeLessThan(20)
  })
})

test('I10: nothing is written outside of the work tree and our own folders, and no connection but the one', async () => {
  const at = await open()
  const hook = join(at.place.home, 'hook.cjs')
  const seen = join(at.place.home, 'connections.txt')
  writeFileSync(seen, '')
  writeFileSync(
    hook,
    `const net = require('node:net'), dns = require('node:dns'), dgram = require('node:dgram'), fs = require('node:fs')
    const note = (what) => fs.appendFileSync(${JSON.stringify(seen)}, what + '\\n')
    const connect = net.Socket.prototype.connect
    net.Socket.prototype.connect = function (...words) {
      const [to] = Array.isArray(words[0]) ? words[0] : words
      if (to?.port !== undefined) note(to.host + ':' + to.port)
      return connect.apply(this, words)
    }
    const lookup = dns.lookup
    dns.lookup = function (name, ...rest) { note('lookup ' + name); return lookup.call(this, name, ...rest) }
    const createSocket = dgram.createSocket
    dgram.createSocket = function (...words) { note('udp'); return createSocket.apply(this, words) }`,
  )
  const run = await perform(at, wordsFor(at.server), { env: { NODE_OPTIONS: `--require ${hook}` } })
  expect(run.result.exit).toBe('done')
  jobIsDone(run)
  const connections = new Set(
    readFileSync(seen, 'utf8')
      .split('\n')
      .filter((line) => line !== ''),
  )
  expect([...connections]).toEqual([new URL(at.server.baseUrl).host])
  expect(readdirSync(at.place.home).sort()).toEqual(['connections.txt', 'hook.cjs', 'own', 'repo'])
})
