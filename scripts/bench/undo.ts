/** Recording a work tree of 10,000 files for undo, beside `git status` on the same tree in the same run. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { recordTree } from '../../agent/undo/record.ts'
import { openStore } from '../../agent/undo/store.ts'
import { openWorkspace } from '../../sandbox/index.ts'
import { median } from '../eval/outcome.ts'
import { spread } from './numbers.ts'

const files = 10_000
const changed = 10

/** Rows of `what | measured | beside | bound`. */
export async function benchUndo(rounds: number): Promise<string[]> {
  const home = mkdtempSync(join(tmpdir(), 'cachalot-bench-undo-'))
  const root = join(home, 'work')
  try {
    for (let n = 0; n < files; n += 1) {
      const folder = join(root, `package-${n % 100}`, 'src')
      if (n < 100) mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `module-${n}.ts`), `export const value${n} = ${n}\n`.repeat(40))
    }
    const git = (...args: string[]): Buffer => execFileSync('git', args, { cwd: root })
    git('init', '-q')
    git('add', '-A')
    // Files that changed just now are read again, to be sure: not what is measured.
    await sleep(3000)
    const workspace = openWorkspace(root)
    const store = await openStore(join(home, 'state'), root)
    const timed = async (work: () => unknown): Promise<number> => {
      const began = performance.now()
      await work()
      return performance.now() - began
    }
    const first = await timed(() => recordTree(store, workspace, { keep: 'bench/first' }))
    const status: number[] = []
    const little: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      status.push(await timed(() => git('status', '--porcelain')))
      for (let n = 0; n < changed; n += 1) {
        writeFileSync(join(root, `package-${n}`, 'src', `module-${n}.ts`), `export const round = ${round}\n`)
      }
      little.push(await timed(() => recordTree(store, workspace, { keep: `bench/${round}` })))
    }
    const beside = `${(median(little) / median(status)).toFixed(1)} × git status`
    return [
      '| what | measured | beside | bound |',
      '|---|---|---|---|',
      `| git status, ${files} files | ${spread(status, 'ms', 0)} | | |`,
      `| the first record of ${files} files | ${first.toFixed(0)} ms | | |`,
      `| a record, ${changed} files changed | ${spread(little, 'ms', 0)} | ${beside} | ≤ 150 ms |`,
    ]
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
