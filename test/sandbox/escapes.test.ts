/**
 * The 85 attempts of the study, each made twice in a throw-away world: in the sandbox, where it must fail, and without
 * it, where it must succeed, or else nothing was tested. As root and as nobody. Judged from the host's side.
 */
import { type ChildProcess, fork } from 'node:child_process'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attempts } from './escapes/index.ts'
import type { Answer } from './escapes/world-process.ts'
import { users } from './support/agent.ts'

test('there are 85 attempts, each with its own number', () => {
  expect(new Set(attempts.map((attempt) => attempt.id)).size).toBe(85)
  expect(attempts).toHaveLength(85)
})

const isRoot = process.geteuid?.() === 0

describe.each(users)('attempts as $name', (user) => {
  let world: ChildProcess
  let ready = false
  const waiting = new Map<string, (answer: Answer) => void>()
  /** The world is gone, and with it every answer. */
  let gone: Promise<never>

  beforeAll(async () => {
    // Private namespaces; a normal user becomes root of namespaces of its own to get them.
    const namespaces = [
      '--mount',
      '--net',
      '--ipc',
      '--propagation',
      'private',
      ...(isRoot ? [] : ['--user', '--map-root-user']),
    ]
    const script = path.join(import.meta.dirname, 'escapes/world-process.ts')
    const mark = `${process.pid}x${Math.random().toString(36).slice(2, 8)}`
    world = fork(script, [String(user.uid ?? 0), mark], {
      execPath: 'unshare',
      execArgv: [...namespaces, '--', process.execPath],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    gone = new Promise((_, reject) => world.once('exit', (code) => reject(new Error(`the world ended: ${code}`))))
    const opened = new Promise<boolean>((resolve) => {
      world.on('message', (message: Answer | { ready: boolean }) => {
        if ('ready' in message) resolve(message.ready)
        else waiting.get(`${message.ask.id} ${message.ask.sandboxed}`)?.(message)
      })
    })
    ready = await Promise.race([opened, gone])
  })
  afterAll(async () => {
    world.disconnect()
    await gone.catch(() => undefined)
  })

  const ask = (id: string, sandboxed: boolean): Promise<Answer> => {
    const answer = new Promise<Answer>((resolve) => {
      waiting.set(`${id} ${sandboxed}`, resolve)
      world.send({ id, sandboxed })
    })
    return Promise.race([answer, gone])
  }

  test.each(attempts)('$id $what', { timeout: 90_000 }, async ({ id, limit, control }) => {
    // startAgent has said that there is no bubblewrap, or thrown where it is required.
    if (!ready) return
    const inside = await ask(id, true)
    expect(inside, 'in the sandbox').toMatchObject({ escaped: limit !== undefined })
    const bites = { bites: true, root: user.name === 'root', 'made-by-root': isRoot, 'nobody-tried': false }
    if (bites[control]) {
      expect(await ask(id, false), 'without the sandbox').toMatchObject({ escaped: true })
    }
  })
})
