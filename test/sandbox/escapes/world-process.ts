/**
 * A world in a process of its own, started in private mount, network and IPC namespaces: makes attempts in the sandbox
 * (by an agent that runs as the user) and without it, and judges both.
 */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { killMarked } from '../../../sandbox/process-tree.ts'
import { type Agent, policyFor, startAgent } from '../support/agent.ts'
import { type Attempt, type Result, SECRET } from './attempt.ts'
import { attempts } from './index.ts'
import { buildWorld, type OpenWorld } from './world.ts'

export interface Ask {
  readonly id: string
  readonly sandboxed: boolean
}

export interface Answer {
  readonly ask: Ask
  readonly escaped: boolean
  /** For a person who reads a failure. */
  readonly output: string
}

const [uidText = '', mark = ''] = process.argv.slice(2)
const uid = Number(uidText)

/** What the user has in the environment when the agent is started. */
const environment = (world: OpenWorld): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: world.home,
  LANG: 'C.UTF-8',
  API_TOKEN: SECRET,
  SSH_AUTH_SOCK: world.sockets.agent,
  ESCAPE_MARK: world.mark,
})

/** Leaves a descriptor open on a file of the host in what it starts, beyond those that Node closes by itself. */
const leaky = (world: OpenWorld): string[] => [
  '/bin/bash',
  '-c',
  'exec 200>>"$0"; exec "$@"',
  `${world.home}/inherited`,
]

function sandboxed(world: OpenWorld, agent: Agent, attempt: Attempt): Promise<Result> {
  const limits = { seconds: 15, outputBytes: 262_144, ...attempt.limits }
  return agent.run(attempt.line(world), { policy: policyFor(world.work), limits })
}

const failed = (error: unknown): Result => ({
  ...{ outcome: 'exited', exitCode: 1, output: String(error), outputBytes: 0, truncated: false, seconds: 0 },
})

/** The same line as any program would run it: the user's rights and environment, no limits but a polite end. */
async function plain(world: OpenWorld, attempt: Attempt): Promise<Result> {
  const [file = '', ...args] = [...leaky(world), '/bin/bash', '-c', attempt.line(world)]
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      ...{ cwd: world.work, env: environment(world), detached: true, uid, gid: uid },
      stdio: [attempt.openStdin === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    })
    const chunks: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
    let outcome: Result['outcome'] = 'exited'
    const seconds = attempt.limits?.seconds ?? 15
    const settle = (exitCode: number): void => {
      const bytes = Buffer.concat(chunks)
      resolve({ outcome, exitCode, output: bytes.toString(), outputBytes: bytes.length, truncated: false, seconds })
    }
    const timer = setTimeout(() => {
      outcome = 'timed-out'
      child.kill('SIGTERM')
      setTimeout(() => settle(-1), 300)
    }, seconds * 1000)
    child.once('error', (error) => {
      chunks.push(Buffer.from(String(error)))
      settle(-1)
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      // Output may still be on its way; programs left behind may hold the pipe open for ever.
      setTimeout(() => settle(code ?? -1), 150)
    })
  })
}

async function answer(world: OpenWorld, agent: Agent, ask: Ask): Promise<Answer> {
  const attempt = attempts.find((each) => each.id === ask.id)!
  world.reset()
  // Some lines cannot even be started by an ordinary spawn: that too is a result.
  const result = await (ask.sandboxed ? sandboxed(world, agent, attempt) : plain(world, attempt)).catch(failed)
  // What was set in motion may need a moment to show.
  await sleep(30)
  const escaped = attempt.escaped(world, result)
  killMarked(`ESCAPE_MARK=${world.mark}`)
  return { ask, escaped, output: result.output.slice(0, 2000) }
}

const world = await buildWorld(uid, mark)
const agent = await startAgent({
  user: { name: 'the user', uid: uid === process.geteuid?.() ? undefined : uid },
  home: world.home,
  roots: [world.work],
  env: environment(world),
  wrapper: leaky(world),
})
process.send?.({ ready: agent !== undefined })
let queue = Promise.resolve()
process.on('message', (ask: Ask) => {
  if (agent === undefined) return
  queue = queue.then(async () => {
    process.send?.(await answer(world, agent, ask))
  })
})
process.on('disconnect', () => process.exit(0))
