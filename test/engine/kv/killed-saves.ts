/** Processes that are killed while they save, and what is there after each. For the test and the bench. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { prefixNames } from '../../../engine/kv/names.ts'
import { readWhole } from './whole-state.ts'

/** Each at another moment. Gives how many entries were looked at; throws at one that is not whole or not what its name says. */
export async function killedSaves(folder: string, times: number): Promise<number> {
  let looked = 0
  for (let round = 0; round < times; round++) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'programs', 'save-forever.ts'), folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await sleep((round * 37) % 101)
    child.kill('SIGKILL')
    await once(child, 'exit')
    for (const name of readdirSync(folder).filter((one) => one.endsWith('.kv'))) {
      const { tokens, parts } = await readWhole(join(folder, name))
      looked++
      const right = prefixNames([...tokens], [tokens.length])[0] === name
      const whole = Buffer.concat(parts)
      if (!right || whole.length < 3_000_000 || !whole.every((byte) => byte === tokens[0]))
        throw new Error(`${name} holds something else`)
      if (round % 4 === 0) rmSync(join(folder, name))
    }
  }
  return looked
}
