/** The interactive interface on a pseudo-terminal with a screen emulator: wall time of what a person waits for, and memory. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeLongSession } from '../../test/e2e/tui/long-session.ts'
import { openPty, type Pty, type PtyOptions } from '../../test/e2e/tui/pty.ts'
import { median } from '../eval/outcome.ts'
import { spread } from './numbers.ts'
import { runNode } from './start.ts'

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `L${String(n).padStart(5, '0')} a line of an answer that is not so short`)

/** Rows of `what | measured | beside | bound`. `turns`: how many the memory is watched over. */
export async function benchInterface(rounds: number, turns = 500): Promise<string[]> {
  const bare: number[] = []
  for (let round = 0; round <= rounds; round++) bare.push((await runNode(['-e', '0'], process.env)).ms)
  bare.shift() // the first one fills the disk's cache
  const { fresh, resumed } = await starts(rounds)
  const keys = await typing()
  const sizes = await memory(turns)
  const over = (values: readonly number[]): string =>
    `${Math.round(median(values) - median(bare))} ms over node -e 0, ${(median(values) / median(bare)).toFixed(1)} ×`
  const most = Math.max(...sizes)
  return [
    '| what | measured | beside | bound |',
    '|---|---|---|---|',
    `| node -e 0 | ${spread(bare, 'ms', 0)} | | |`,
    `| start to the prompt | ${spread(fresh, 'ms', 0)} | ${over(fresh)} | ≤ 250 ms over node |`,
    `| resume of 1,000 turns to the last answer and the prompt | ${spread(resumed, 'ms', 0)} | ${over(resumed)} | ≤ 300 ms over node |`,
    `| a key, typed while an answer streams, to the screen | ${spread(keys, 'ms')} | | ≤ 30 ms |`,
    `| resident memory over ${turns} turns | ${most.toFixed(0)} MB at most, ${sizes.map((size) => size.toFixed(0)).join(', ')} | | ≤ 250 MB, flat |`,
  ]
}

/** Milliseconds from the start of the program until the sign is on the screen. */
async function untilSeen(options: PtyOptions, sign: RegExp): Promise<number> {
  const began = performance.now()
  const pty = openPty(options)
  try {
    await pty.until(sign)
    return performance.now() - began
  } finally {
    pty.dispose()
  }
}

async function starts(rounds: number): Promise<{ fresh: number[]; resumed: number[] }> {
  const first = openPty({ replies: [] })
  try {
    await first.until('/help lists')
    first.type('\x04') // a graceful end keeps the compiled code for the next start
    await first.exit()
    const { home, folder } = first
    const fresh: number[] = []
    const resumed: number[] = []
    for (let round = 0; round < rounds; round++) fresh.push(await untilSeen({ home, folder }, /^› /m))
    writeLongSession(join(home, 'state'), folder, 1000)
    const resume = { home, folder, words: ['--continue'] }
    for (let round = 0; round < rounds; round++) resumed.push(await untilSeen(resume, /answer 999[\s\S]*^› /m))
    return { fresh, resumed }
  } finally {
    first.dispose()
  }
}

/** Milliseconds of each of 60 keys. */
async function typing(): Promise<number[]> {
  const pty = await ready({ replies: [{ text: `${numbered(20_000).join('\n')}\n`, chunkMs: 1 }] })
  try {
    pty.type('go\r')
    await pty.until(() => pty.output().includes('L00100'))
    const times: number[] = []
    let typed = ''
    for (let n = 0; n < 60; n += 1) {
      typed += String.fromCharCode(97 + (n % 26))
      const began = performance.now()
      pty.type(typed.at(-1) as string)
      await pty.until(`› ${typed}`)
      times.push(performance.now() - began)
    }
    return times
  } finally {
    pty.dispose()
  }
}

/** Megabytes after each tenth of the turns. */
async function memory(turns: number): Promise<number[]> {
  const text = numbered(40).join('\n')
  const pty = await ready({ replies: Array.from({ length: turns }, (_, n) => ({ text: `${text}\n\nEND${n}.` })) })
  try {
    const sizes: number[] = []
    for (let n = 0; n < turns; n += 1) {
      pty.type(`turn ${n}\r`)
      await pty.until(() => pty.output().includes(`END${n}.`))
      await pty.until(() => !pty.screen().some((line) => line.includes('Esc interrupts')))
      if ((n + 1) % Math.ceil(turns / 10) === 0) sizes.push(residentMb(pty.pid))
    }
    return sizes
  } finally {
    pty.dispose()
  }
}

async function ready(options: PtyOptions): Promise<Pty> {
  const environment = { CACHALOT_MAX_TOKENS: '10000000', CACHALOT_CONTEXT: '10000000' }
  const pty = openPty({ environment, ...options })
  await pty.until('/help lists')
  await pty.until('scripted')
  return pty
}

/** Megabytes that the process holds for itself (proc(5)). */
const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
