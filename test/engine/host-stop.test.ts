import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { makeStopFile } from '../../engine/embedded/stop-file.ts'
import { stopDescriptor } from '../../engine/host/protocol.ts'
import { makeModel } from '../models/index.ts'
import { calm, closeEngines, engineOn, ids, prompt, reply } from './support.ts'

closeEngines()

const program = fileURLToPath(new URL('programs/wait-for-stop.ts', import.meta.url))

function waiting(how: 'shared' | 'alone', descriptor: number | 'ignore') {
  const stdio: (number | 'ignore' | 'pipe' | 'inherit')[] = ['ignore', 'pipe', 'inherit', 'ignore']
  stdio[stopDescriptor] = descriptor
  const child = spawn(process.execPath, [program, how], { stdio })
  let said = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = new Promise<string>((resolve) => child.on('close', () => resolve(said)))
  const begun = new Promise<string>((resolve) => child.stdout?.once('data', (text: string) => resolve(text)))
  return { begun, ended }
}

test('a process that never turns to its messages sees the stop', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stop-'))
  const file = makeStopFile(folder)
  // Nothing that a crash could leave behind.
  expect(readdirSync(folder)).toEqual([])
  rmdirSync(folder)
  const host = waiting('shared', file.descriptor!)
  expect(await host.begun).toBe('shared true false\n')
  file.raise()
  expect(await host.ended).toBe('shared true false\nstopped\n')
  file.close()
  file.raise()
})

test('without a file, or where nobody else may stop it, the flag is the process’s own', async () => {
  expect(await waiting('shared', 'ignore').ended).toBe('alone true false\nstopped\n')
  const file = makeStopFile()
  expect(await waiting('alone', file.descriptor!).ended).toBe('alone true false\nstopped\n')
  file.close()
  const none = makeStopFile('/nowhere')
  expect(none.descriptor).toBeUndefined()
  none.raise()
})

test.each(['tiny-moe-copy', 'tiny-ds4-copy'] as const)(
  'work of one sequence that is stopped again and again leaves the other’s as it is (%s)',
  async (kind) => {
    const engine = await engineOn(makeModel(kind).file, { sequences: 2, contextTokens: 8192 })
    const [first, second] = [await engine.sequence(), await engine.sequence()]
    await first.prefill(prompt(700), { signal: calm })
    const alone = ids(await reply(first, 65, { maxTokens: 300 }))
    await first.rewind(0)

    let over = false
    let stops = 0
    const disturb = async () => {
      while (!over) {
        const controller = new AbortController()
        const work =
          stops % 2 === 0
            ? second.prefill(prompt(600, 2), { signal: controller.signal })
            : reply(second, 66, { maxTokens: 500, signal: controller.signal })
        await new Promise((resolve) => setTimeout(resolve, stops % 7))
        controller.abort()
        await work.catch((error: unknown) => expect(error).toMatchObject({ kind: 'aborted' }))
        await second.rewind(0)
        stops++
      }
    }
    const disturbance = disturb()
    await first.prefill(prompt(700), { signal: calm })
    const disturbed = ids(await reply(first, 65, { maxTokens: 300 }))
    over = true
    await disturbance
    expect(stops).toBeGreaterThan(3)
    expect(disturbed).toEqual(alone)
  },
)
