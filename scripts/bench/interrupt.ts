/** How long the built program takes to end after Ctrl-C, in the middle of each thing it does, beside `node -e 0`. */

import { shellCall } from '../../test/e2e/calls.ts'
import { type Scratch, scratch } from '../../test/e2e/program.ts'
import { makeModel } from '../../test/models/index.ts'
import { median } from '../eval/outcome.ts'
import { spread } from './numbers.ts'
import { runNode } from './start.ts'

/** Milliseconds from the signal to the end of the process. */
async function interrupted(place: Scratch, sign: RegExp, words: readonly string[]): Promise<number> {
  const child = place.start(['run', 'x', '--json', ...words])
  let seen = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      seen += String(chunk)
      if (sign.test(seen)) resolve()
    })
    void child.then(() => reject(new Error(`ended before it was interrupted: ${seen}`)))
  })
  const since = performance.now()
  child.kill('SIGINT')
  const { exitCode } = await child
  if (exitCode !== 130) throw new Error(`exit code ${exitCode} after Ctrl-C: ${seen}`)
  return performance.now() - since
}

/** Rows of `what | measured | beside | bound`; a median of `rounds` runs each. */
export async function benchInterrupt(rounds: number): Promise<string[]> {
  const { file } = makeModel('tiny-moe')
  const embedded = ['--model', file, '--dialect', 'qwen', '--context', '8192']
  const place = scratch({ 'a.txt': 'one\n' })
  try {
    const silent = ['--model', place.script([{ delayMs: 30_000, text: 'late' }])]
    const command = ['--model', place.script([{ calls: [shellCall('echo started; sleep 60')] }])]
    const moments = [
      ['a model that is silent', /"prefill"/, silent],
      ['a command', /"output".*started/, command],
      ['an embedded model that is loaded or reads', /"session"/, embedded],
      ['an embedded model that writes', /"text"/, embedded],
    ] as const
    const taken = moments.map(() => [] as number[])
    const bare: number[] = []
    for (let round = 0; round < rounds; round++) {
      bare.push((await runNode(['-e', '0'], process.env)).ms)
      for (const [at, [, sign, words]] of moments.entries()) taken[at]!.push(await interrupted(place, sign, words))
    }
    return [
      '| Ctrl-C inside | to the end of the process | beside | bound |',
      '|---|---|---|---|',
      ...moments.map(([what], at) => {
        const ratio = (median(taken[at]!) / median(bare)).toFixed(1)
        return `| ${what} | ${spread(taken[at]!, 'ms', 0)} | ${ratio} × node -e 0 | ≤ 300 ms |`
      }),
    ]
  } finally {
    place.remove()
  }
}
