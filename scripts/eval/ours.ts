/** Through the whole program: `cachalot run --json` as its own process, judged by its last line and by the files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import * as z from 'zod'
import type { Task } from './tasks.ts'

const launcher = join(import.meta.dirname, '../../bin/cachalot.js')

const resultSchema = z.object({
  type: z.literal('result'),
  exit: z.string(),
  exitCode: z.number(),
  steps: z.number(),
  usage: z.object({ promptTokens: z.number(), generatedTokens: z.number() }),
})

export interface Run {
  readonly exit: string
  readonly exitCode: number
  readonly steps: number
  readonly promptTokens: number
  readonly generatedTokens: number
  /** The events before the result, as they came. */
  readonly events: readonly { readonly type?: unknown; readonly [key: string]: unknown }[]
}

/**
 * Runs the program on a task. Its configuration, session and cache folders are the attempt's own, for both of two tries; the data folder, where
 * models lie, is the user's.
 */
export async function ours(prompt: string, folder: string, scratch: string, flags: readonly string[]): Promise<Run> {
  mkdirSync(scratch, { recursive: true })
  const { stdout, stderr } = await execa(
    process.execPath,
    [launcher, 'run', '--json', '--cwd', folder, ...flags, '--', prompt],
    {
      reject: false,
      stdin: 'ignore',
      env: {
        XDG_CONFIG_HOME: join(scratch, 'config'),
        XDG_STATE_HOME: join(scratch, 'state'),
        XDG_CACHE_HOME: join(scratch, 'cache'),
      },
      timeout: 600_000,
    },
  )
  const events = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Run['events'][number])
  const result = resultSchema.safeParse(events.at(-1))
  if (!result.success) throw new Error(`the last line is no result: ${stdout.slice(-300)} ${stderr.slice(-300)}`)
  const { exit, exitCode, steps, usage } = result.data
  return {
    exit,
    exitCode,
    steps,
    promptTokens: usage.promptTokens,
    generatedTokens: usage.generatedTokens,
    events: events.slice(0, -1),
  }
}

/** The request of a second try: all that the tests said, as a user would paste it, but for what nobody reads. */
export function secondRequest(task: Task, output: string): string {
  const lines = output.length <= 8000 ? output : `${output.slice(0, 4000)}\n…\n${output.slice(-4000)}`
  return `${task.prompt}\n\nThe code is written already, but its tests fail. What they say:\n\n${lines}\n\nThe tests are right. Correct ${Object.keys(task.files).join(', ')}.`
}

/** A script for the scripted model that writes the reference solution through our own tools, then ends. */
export function oracleScript(task: Task, scratch: string): string {
  mkdirSync(scratch, { recursive: true })
  const file = join(scratch, 'oracle.json')
  const calls = Object.entries(task.reference).map(([path, content]) => ({
    name: 'write',
    arguments: { path, content },
  }))
  writeFileSync(file, JSON.stringify({ replies: [{ calls }, { text: 'Done.' }] }))
  return file
}
