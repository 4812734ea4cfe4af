/** What the sandbox costs: a command in the box, beside the same command by bash alone, in turns. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { openSandbox, type Policy } from '../../sandbox/index.ts'
import { median } from '../eval/outcome.ts'
import { spread } from './numbers.ts'

/** As the issue asks: the median of 50 in one run. */
const commands = 50

/** Rows of `what | measured | beside | bound`. */
export async function benchCommand(): Promise<string[]> {
  const cache = join(homedir(), '.cache')
  mkdirSync(cache, { recursive: true })
  const root = mkdtempSync(join(cache, 'cachalot-bench-'))
  try {
    writeFileSync(join(root, 'AGENTS.md'), '')
    mkdirSync(join(root, '.git/hooks'), { recursive: true })
    const sandbox = await openSandbox({ roots: [root] })
    if (sandbox.problem !== undefined) return [sandbox.problem.message]
    const none: readonly string[] = []
    const policy: Policy = {
      ...{ mode: 'workspace-write', roots: [root], network: 'off' },
      ...{ extraWrite: none, denyRead: none, passEnv: none },
    }
    const limits = { seconds: 10, outputBytes: 1000 }
    const boxed = async (): Promise<void> => {
      const { signal } = new AbortController()
      const { exitCode, output } = await sandbox.run({ line: 'true', cwd: root }, { policy, limits, signal })
      if (exitCode !== 0) throw new Error(output)
    }
    const bare = (): Promise<void> =>
      new Promise((resolve) => {
        spawn('/bin/bash', ['-c', 'true'], { stdio: ['ignore', 'pipe', 'pipe'] }).on('close', () => resolve())
      })
    const timed = async (work: () => Promise<void>): Promise<number> => {
      const began = performance.now()
      await work()
      return performance.now() - began
    }
    // The first of each loads what the others find.
    await boxed()
    await bare()
    const [alone, inside]: [number[], number[]] = [[], []]
    for (let round = 0; round < commands; round += 1) {
      alone.push(await timed(bare))
      inside.push(await timed(boxed))
    }
    const more = median(inside) - median(alone)
    return [
      '| what | measured | beside | bound |',
      '|---|---|---|---|',
      `| bash -c true, median of ${commands} | ${spread(alone, 'ms')} | | |`,
      `| the same in the box | ${spread(inside, 'ms')} | + ${more.toFixed(1)} ms | + 20 ms |`,
    ]
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
