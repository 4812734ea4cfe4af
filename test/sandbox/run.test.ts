/** Commands in the real box, started by agents that run as root and as nobody (uid 65534). */
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { homedir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRunning } from '../../sandbox/process-tree.ts'
import { type Agent, makePlace, policyFor, startAgent, users } from './support/agent.ts'
import { processesWith } from './support/processes.ts'

describe.each(users)('a command, as $name', (user) => {
  const place = makePlace(user)
  const policy = policyFor(place.work)
  let agent: Agent | undefined

  beforeAll(async () => {
    agent = await startAgent({ user, home: place.home, roots: [place.work] })
  })
  afterAll(async () => {
    await agent?.stop()
    place.remove()
  })

  /** Nothing to test without bubblewrap: startAgent has said so, or thrown where it is required. */
  const each = (name: string, body: (agent: Agent) => Promise<void>): void =>
    // A gigabyte takes its time on a machine that is busy.
    test(name, { timeout: 150_000 }, async () => {
      if (agent !== undefined) await body(agent)
    })

  each('runs in the work tree and gives its exit code and its output in order', async (agent) => {
    const line = 'pwd; echo one; echo two >&2; echo three >/dev/stdout; echo four >/dev/stderr; exit 7'
    const result = await agent.run(line, { policy })
    expect(result).toMatchObject({ outcome: 'exited', exitCode: 7, truncated: false })
    expect(result.output).toBe(`${place.work}\none\ntwo\nthree\nfour\n`)
    expect(result.outputBytes).toBe(Buffer.byteLength(result.output))
  })

  each('streams its output while it runs', async (agent) => {
    const seen: [string, number][] = []
    const start = Date.now()
    const onOutput = (text: string): void => void seen.push([text, Date.now() - start])
    await agent.run('printf "a\\xc3"; sleep 0.6; printf "\\xa4b"', { policy, onOutput })
    expect(seen.map(([text]) => text)).toEqual(['a', 'äb'])
    expect(seen[1]![1] - seen[0]![1]).toBeGreaterThan(300)
  })

  each('reads nothing from us, or what it is given', async (agent) => {
    expect((await agent.run('cat; echo end', { policy })).output).toBe('end\n')
    expect((await agent.run('tr a-z A-Z', { policy, stdin: 'hello' })).output).toBe('HELLO')
  })

  each('keeps its /tmp from one command to the next, and the host never sees it there', async (agent) => {
    await agent.run('echo kept >/tmp/kept-by-test; echo "$TMPDIR"', { policy })
    expect((await agent.run('cat /tmp/kept-by-test', { policy })).output).toBe('kept\n')
    expect(existsSync('/tmp/kept-by-test')).toBe(false)
  })

  each('is told apart when a signal ends it', async (agent) => {
    const result = await agent.run('kill -SEGV $$', { policy })
    expect(result).toMatchObject({ outcome: 'signalled', exitCode: 139 })
  })

  each('is ended at its time limit, its traps run first', async (agent) => {
    const line = 'trap "echo cleaned; exit 9" TERM; echo up; sleep 60 & wait'
    const result = await agent.run(line, { policy, limits: { seconds: 0.5 } })
    expect(result).toMatchObject({ outcome: 'timed-out', output: 'up\ncleaned\n' })
    expect(result.seconds).toBeLessThan(2)
  })

  each('is killed when it ignores that', async (agent) => {
    const line = 'trap "" TERM; echo up; while :; do sleep 0.05; done'
    const result = await agent.run(line, { policy, limits: { seconds: 0.3 } })
    expect(result).toMatchObject({ outcome: 'timed-out', exitCode: 137, output: 'up\n' })
    expect(result.seconds).toBeLessThan(3.5)
  })

  each('ends within 300 ms of an abort', async (agent) => {
    const late: number[] = []
    // The best of three: a busy machine may hold any one up.
    for (let attempt = 0; attempt < 3; attempt++) {
      const result = await agent.run('trap "" TERM; while :; do :; done', { policy, abortAfter: 0.4 })
      expect(result.outcome).toBe('aborted')
      late.push(result.seconds - 0.4)
    }
    expect(Math.min(...late)).toBeLessThan(0.3)
  })

  each('returns when the foreground ends, and takes along what it left behind', async (agent) => {
    const mark = `mark-${process.pid}-${user.name.length}`
    const line = [
      `sh -c 'sleep 60; : ${mark}' &`,
      `(setsid sh -c 'sleep 60; : ${mark}' >/dev/null 2>&1 </dev/null &)`,
      `(setsid nohup sh -c 'trap "" TERM HUP; sleep 60; : ${mark}' &)`,
      'sleep 0.1; echo started',
    ].join('\n')
    const result = await agent.run(line, { policy })
    expect(result).toMatchObject({ outcome: 'exited', exitCode: 0 })
    expect(result.seconds).toBeLessThan(5)
    expect(processesWith(mark)).toEqual([])
  })

  each('keeps head and tail of a flood of 1 GB, in little memory', async (agent) => {
    const line = 'echo first; head -c 1073741824 /dev/zero | tr "\\0" x; echo; echo last'
    const result = await agent.run(line, { policy, limits: { seconds: 100, outputBytes: 262_144 } })
    expect(result).toMatchObject({ outcome: 'exited', truncated: true, outputBytes: 1_073_741_824 + 12 })
    expect(result.output.startsWith('first\n')).toBe(true)
    expect(result.output.endsWith('\nlast\n')).toBe(true)
    expect(result.output.length).toBeLessThan(263_000)
    expect(result.rssGrowth).toBeLessThan(96 * 2 ** 20)
  })

  each('leaves all of a long output where the next command can search it', async (agent) => {
    const result = await agent.run('seq 1 50000', { policy, limits: { outputBytes: 4096 } })
    expect(result.fullOutput).toMatch(/^\/tmp\/output-\d+\.txt$/)
    const next = await agent.run(`wc -l <${result.fullOutput}; grep -n ^25000$ ${result.fullOutput}`, { policy })
    expect(next.output).toBe('50000\n25000:25000\n')
    expect(next.fullOutput).toBeUndefined()
  })

  each('is killed when it has too many processes', async (agent) => {
    const line = 'for i in $(seq 60); do sleep 76.1 & done; wait'
    const result = await agent.run(line, { policy, limits: { processes: 40 } })
    expect(result).toMatchObject({ outcome: 'signalled', exitCode: 137 })
    expect(result.hint).toMatch(/^\[killed: the command had \d+ processes, 40 are allowed\]$/)
    expect(processesWith('sleep 76.1')).toEqual([])
  })

  each('has a limit of 4096 processes', async (agent) => {
    expect((await agent.run('ulimit -u', { policy })).output).toBe('4096\n')
  })

  each('is killed when its processes together take too much memory', async (agent) => {
    const line = `for n in 1 2; do head -c 120000000 /dev/zero | tail -c 120000000 | sleep 20 & done; wait; echo survived`
    const result = await agent.run(line, { policy, limits: { memoryBytes: 200_000_000 } })
    expect(result).toMatchObject({ outcome: 'signalled', exitCode: 137, output: '' })
    expect(result.hint).toMatch(/^\[killed: the command used \d+ MB of memory, 191 MB are allowed\]$/)
    expect(result.seconds).toBeLessThan(15)
  })

  each('may be longer than one argument can be', async (agent) => {
    const line = `echo start; : ${'x'.repeat(300_000)}; echo end; cat; exit 3`
    const result = await agent.run(line, { policy })
    expect(result).toMatchObject({ exitCode: 3, output: 'start\nend\n' })
  })

  each('is refused with a NUL byte, or outside the work tree', async (agent) => {
    await expect(agent.run('echo a\0b', { policy })).rejects.toMatchObject({ kind: 'bad-command' })
    await expect(agent.run('true', { policy, cwd: '/usr' })).rejects.toMatchObject({ kind: 'bad-command' })
  })

  each('has no descriptor of ours, and no environment but the allow-list', async (agent) => {
    const result = await agent.run(
      'ls /proc/self/fd | tr "\\n" " "; tr "\\0" "\\n" </proc/self/environ | grep -c KEY',
      { policy },
    )
    expect(result.output).toBe('0 1 2 3 0\n')
  })

  each('cannot write where the mode does not allow it', async (agent) => {
    const readOnly = policyFor(place.work, { mode: 'read-only' })
    const result = await agent.run('touch here; touch /tmp/there && echo tmp', { policy: readOnly })
    expect(result.output).toMatch(/^touch: .*Read-only file system\ntmp\n$/)
    expect(existsSync(path.join(place.work, 'here'))).toBe(false)
    const more = await agent.run('touch /usr/outside', { policy })
    expect(more.hint).toBe('[sandbox: only the work tree and /tmp are writable]')
  })

  each('writes where the user opened more, and reads nothing of what the user hid', async (agent) => {
    const [extra, hidden] = [path.join(place.home, 'extra'), path.join(place.work, '.env')]
    for (const folder of [extra, path.join(place.work, 'vault')]) mkdirSync(folder)
    chownSync(extra, user.uid ?? process.getuid!(), user.uid ?? process.getgid!())
    writeFileSync(hidden, 'HIDDEN')
    writeFileSync(path.join(place.work, 'vault/key'), 'HIDDEN')
    const change = { extraWrite: [extra], denyRead: [hidden, path.join(place.work, 'vault')] }
    const line = `echo x >${extra}/file && echo wrote; cat .env vault/key; ls -A vault; echo x >.env; rm -rf vault; echo done`
    const { output } = await agent.run(line, { policy: policyFor(place.work, change) })
    expect(readFileSync(path.join(extra, 'file'), 'utf8')).toBe('x\n')
    expect(output).toMatch(/^wrote\n/)
    expect(output).not.toContain('HIDDEN')
    expect(readFileSync(hidden, 'utf8')).toBe('HIDDEN')
    expect(readFileSync(path.join(place.work, 'vault/key'), 'utf8')).toBe('HIDDEN')
  })

  each('reaches the network of the machine only when it is opened as a whole', async (agent) => {
    const server = createServer((socket) => socket.end('hello from the host\n'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const line = `cat </dev/tcp/127.0.0.1/${port}; test -r /etc/resolv.conf && echo resolver`
    const full = await agent.run(line, { policy: policyFor(place.work, { network: 'full' }) })
    const off = await agent.run(line, { policy })
    server.close()
    expect(full.output).toBe('hello from the host\nresolver\n')
    expect(off.output).toMatch(/Connection refused/)
  })

  each('leaves nothing when the agent is killed with SIGKILL', async () => {
    const victim = await startAgent({ user, home: place.home, roots: [place.work] })
    const mark = `victim-${process.pid}-${user.name.length}`
    const file = path.join(place.work, 'late')
    writeFileSync(path.join(place.work, 'pid'), '')
    const line = `(setsid sh -c 'sleep 30; : ${mark}' &) ; echo ready >ready; sh -c 'sleep 1; echo late >${file}; sleep 30; : ${mark}'`
    const running = victim!.run(line, { policy })
    running.catch(() => undefined)
    while (!existsSync(path.join(place.work, 'ready'))) await sleep(10)
    await sleep(100)
    expect(processesWith(mark).length).toBeGreaterThan(0)
    victim!.kill('SIGKILL')
    await sleep(1500)
    expect(processesWith(mark)).toEqual([])
    expect(existsSync(file)).toBe(false)
    expect(isRunning(victim!.pid)).toBe(false)
  })

  each('leaves nothing whenever the agent is killed, also while the box is made', async () => {
    const mark = `early-${process.pid}-${user.name.length}`
    for (const delay of [0, 5, 12, 25, 45]) {
      const victim = await startAgent({ user, home: place.home, roots: [place.work] })
      victim!.run(`sleep 30; : ${mark}`, { policy }).catch(() => undefined)
      await sleep(delay)
      victim!.kill('SIGKILL')
      await expect.poll(() => isRunning(victim!.pid)).toBe(false)
    }
    await expect.poll(() => processesWith(mark), { timeout: 3000 }).toEqual([])
  })

  each('finds its tools and its git', async (agent) => {
    await agent.run('git init -q . && git config user.name n && git config user.email e', { policy })
    const result = await agent.run('echo x >f; git status --short; git add f', { policy })
    expect(result.output).toMatch(/^\?\? f\n/m)
    expect(result.hint).toBe('[sandbox: .git is read-only for commands]')
    expect(readFileSync(path.join(place.work, 'f'), 'utf8')).toBe('x\n')
  })
})

test('nothing of ~/.bashrc is run, which bash reads where its standard input is a socket', async () => {
  // Below our own home and not in /tmp, which the box does not show.
  const home = mkdtempSync(path.join(homedir(), '.cachalot-test-'))
  const work = path.join(home, 'work')
  mkdirSync(work)
  writeFileSync(path.join(home, '.bashrc'), 'echo from-bashrc\n')
  const agent = await startAgent({ user: users[0]!, home, roots: [work] })
  try {
    const result = await agent?.run('cat; cat ~/.bashrc', { policy: policyFor(work), stdin: 'hello ' })
    if (result) expect(result.output).toBe('hello echo from-bashrc\n')
  } finally {
    await agent?.stop()
    rmSync(home, { recursive: true, force: true })
  }
})
