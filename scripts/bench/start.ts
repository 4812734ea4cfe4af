/** Start-up, memory and latency of the built program against a local endpoint, each beside `node -e 0` in the same run. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startFakeOpenAi } from '../../test/fake-openai/server.ts'
import { median } from '../eval/outcome.ts'
import { spread } from './numbers.ts'

const launcher = join(import.meta.dirname, '../../bin/cachalot.js')

/** Runs Node on arguments; gives wall milliseconds to the end and the largest PSS in MB seen of its process tree. */
export async function runNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  watchMemory = false,
): Promise<{ ms: number; peakMb: number }> {
  const began = performance.now()
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' })
  let peakMb = 0
  const watch = watchMemory
    ? setInterval(() => (peakMb = Math.max(peakMb, child.pid === undefined ? 0 : treePssMb(child.pid))), 5)
    : undefined
  await new Promise((resolve) => child.on('exit', resolve))
  clearInterval(watch)
  return { ms: performance.now() - began, peakMb }
}

/** Proportional set size of a process and all its descendants, in MB (proc(5), smaps_rollup). */
function treePssMb(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    const own = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
    )
    return children.reduce((sum, child) => sum + treePssMb(child), own)
  } catch {
    return 0 // the process ended while it was looked at
  }
}

/** Rows of `what | measured | bound`. Every figure is a median of `rounds` runs, taken in turn. */
export async function benchStart(rounds: number): Promise<string[]> {
  const home = mkdtempSync(join(tmpdir(), 'cachalot-bench-'))
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_STATE_HOME: join(home, 'state'),
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_DATA_HOME: join(home, 'data'),
    FAKE_KEY: 'none',
  }
  const bare: number[] = []
  const version: number[] = []
  const request: number[] = []
  const memory: number[] = []
  const listed: number[] = []
  const latency: number[] = []
  try {
    for (let round = 0; round <= rounds; round++) {
      const node = await runNode(['-e', '0'], env)
      const shown = await runNode([launcher, '--version'], env)
      const work = mkdtempSync(join(home, 'work-'))
      writeFileSync(join(work, 'a.txt'), 'one line\n')
      const replies = [
        { calls: [{ name: 'list', arguments: {} }] },
        { calls: [{ name: 'read', arguments: { path: 'a.txt' } }] },
        { text: 'Done.' },
      ]
      const endpoint = await startFakeOpenAi([...replies, ...replies])
      const began = performance.now()
      const line = [
        launcher,
        'run',
        '--cwd',
        work,
        '--base-url',
        endpoint.baseUrl,
        '--model',
        'fake',
        'List the files.',
      ]
      await runNode(line, env)
      const [first, second, third] = endpoint.times
      // A run of its own: whoever reads a program's memory maps holds it up meanwhile.
      const run = await runNode(line, env, true)
      await endpoint.close()
      if (first === undefined || second === undefined || third === undefined)
        throw new Error('the program did not ask three times')
      if (round === 0) continue // the first one fills the disk cache and the compile cache
      bare.push(node.ms)
      version.push(shown.ms)
      request.push(first.arrived - began)
      memory.push(run.peakMb)
      listed.push(second.arrived - first.answered)
      latency.push(third.arrived - second.answered)
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
  const beside = (values: readonly number[]): string => `${(median(values) / median(bare)).toFixed(1)} × node -e 0`
  return [
    '| what | measured | beside | bound |',
    '|---|---|---|---|',
    `| node -e 0 | ${spread(bare, 'ms', 0)} | | |`,
    `| --version | ${spread(version, 'ms', 0)} | ${beside(version)} | ≤ 60 ms |`,
    `| run, to its first request | ${spread(request, 'ms', 0)} | ${beside(request)} | ≤ 200 ms |`,
    `| peak memory without a model (PSS of the tree) | ${spread(memory, 'MB', 0)} | | ≤ 140 MB |`,
    `| end of a reply that calls \`read\` to the next request | ${spread(latency, 'ms', 0)} | | ≤ 30 ms |`,
    `| the same with the session's first \`list\`, which starts ripgrep | ${spread(listed, 'ms', 0)} | | |`,
  ]
}
