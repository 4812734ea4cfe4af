/** Networks of commands in the real box, as root and as nobody; and what goes on in the background in them. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Agent, makePlace, policyFor, startAgent, users } from './support/agent.ts'
import { processesWith } from './support/processes.ts'

describe.each(users)('the network of a command, as $name', (user) => {
  const place = makePlace(user)
  const policy = policyFor(place.work)
  const limited = policyFor(place.work, { allowHosts: ['*.example.org'] })
  let agent: Agent | undefined

  beforeAll(async () => {
    agent = await startAgent({ user, home: place.home, roots: [place.work] })
  })
  afterAll(async () => {
    await agent?.stop()
    place.remove()
  })
  const each = (name: string, body: (agent: Agent) => Promise<void>): void =>
    test(name, async () => {
      // startAgent has said that there is no bubblewrap, or thrown where it is required.
      if (agent !== undefined) await body(agent)
    })

  each('has a way out only through the proxy, and only to what is allowed', async (agent) => {
    const line = [
      'cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d " "',
      'curl -s -m 5 http://evil.com/; curl -s -m 5 -o /dev/null -w "%{http_connect}\\n" https://evil.com/',
      'curl -s -m 5 --noproxy "*" http://93.184.215.14/ || echo direct $?',
      'curl -s -m 5 http://169.254.169.254/latest/; curl -s -m 5 -x http://127.0.0.1:3128 http://www.example.org/',
      'exit 1',
    ].join('\n')
    const result = await agent.run(line, { policy: limited })
    expect(result.output).toBe(
      [
        'lo',
        'sandbox: evil.com:80 is not an allowed host',
        '403',
        'direct 7',
        'sandbox: 169.254.169.254:80 is not an allowed host',
        'sandbox: not a command of this session',
        '',
      ].join('\n'),
    )
    expect(result.hint).toBe('[sandbox: hosts that are not allowed: evil.com:80, evil.com:443, 169.254.169.254:80]')
  })

  each('reaches an allowed host, as far as this machine does', async (agent) => {
    const result = await agent.run('curl -s -m 10 -o /dev/null -w "%{http_code}" http://www.example.org/', {
      policy: limited,
    })
    // Without a network of its own the machine cannot resolve the name, or not connect: the proxy says which.
    expect(result.output).toMatch(/^(200|30\d|403|502)$/)
  })

  each('refuses a list that cannot be read, and runs nothing', async (agent) => {
    const bad = policyFor(place.work, { allowHosts: ['example.org', '*'] })
    await expect(agent.run('echo ran', { policy: bad })).rejects.toMatchObject({ kind: 'policy-gap' })
  })

  each('holds as before for a command that shares it', async (agent) => {
    const line =
      'grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\t"; touch /usr/x; : >>/proc/sys/kernel/core_pattern; unshare -Ur true'
    const { output } = await agent.run(line, { policy: limited })
    expect(output).toMatch(
      /^CapEff:0+\nNoNewPrivs:1\nSeccomp:2\ntouch: .*Read-only file system\n.*core_pattern: .*\nunshare: .*/,
    )
  })

  each('is shared with what runs in the background, until that is stopped', async (agent) => {
    const mark = `server-${process.pid}-${user.name.length}`
    const server = `echo starting; cd /tmp; echo hello >page; exec python3 -m http.server 8000 --bind 127.0.0.1 # ${mark}`
    const id = await agent.start(server, { policy })
    expect((await agent.read(id, 5)).output).toMatch(/^starting\n/)
    const fetch = 'for n in $(seq 50); do curl -s http://127.0.0.1:8000/page && break; sleep 0.1; done'
    expect((await agent.run(fetch, { policy })).output).toBe('hello\n')
    expect((await agent.read(id, 0)).result).toBeUndefined()
    const stopped = await agent.stopCommand(id)
    expect(stopped.outcome).toBe('aborted')
    expect(stopped.seconds).toBeGreaterThan(0)
    expect(processesWith(mark)).toEqual([])
    expect((await agent.run('curl -s http://127.0.0.1:8000/page', { policy })).exitCode).toBe(7)
  })

  each('a background command that ends by itself tells how', async (agent) => {
    const id = await agent.start('echo one; sleep 0.3; echo two; exit 4', { policy })
    let text = ''
    for (let looks = 0; looks < 20; looks++) {
      const { output, result } = await agent.read(id, 2)
      text += output
      if (result !== undefined) {
        expect(result).toMatchObject({ outcome: 'exited', exitCode: 4 })
        break
      }
    }
    expect(text).toBe('one\ntwo\n')
  })

  each('all of it is gone when the agent is killed', async () => {
    const mark = `gone-${process.pid}-${user.name.length}`
    const victim = (await startAgent({ user, home: place.home, roots: [place.work] }))!
    await victim.start(`sleep 50; : ${mark}`, { policy: limited })
    const before = childrenOf(victim.pid)
    expect(before.length).toBeGreaterThanOrEqual(3)
    victim.kill('SIGKILL')
    await expect.poll(() => processesWith(mark), { timeout: 5000 }).toEqual([])
    await expect.poll(() => before.filter(isThere), { timeout: 5000 }).toEqual([])
  })
})

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

function isThere(pid: number): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
