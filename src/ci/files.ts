/** The folder that the first job hands to the second. Whoever reads it trusts nothing in it. */
import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

/** Names in the folder. */
export const names = { patch: 'cachalot.patch', report: 'report.md', result: 'result.json', task: 'task.json' } as const

/** What the gate tells the work, within one job. */
const taskSchema = z.object({ job: z.enum(['fix', 'run']), task: z.string(), base: z.string() })
export type CiTask = z.infer<typeof taskSchema>

export const writeTask = (folder: string, task: CiTask): void =>
  writeFileSync(join(folder, names.task), JSON.stringify(task))
export const readTaskFile = (folder: string): CiTask =>
  taskSchema.parse(JSON.parse(readFileSync(join(folder, names.task), 'utf8')))

/** A text file of at most so many bytes; '' where there is none. Throws for one that is longer, or no plain file. */
export function readBounded(folder: string, name: string, maxBytes: number): string {
  const file = join(folder, name)
  const status = lstatSync(file, { throwIfNoEntry: false })
  if (status === undefined) return ''
  if (!status.isFile()) throw new Error(`${name} is no plain file`)
  if (status.size > maxBytes) throw new Error(`${name} has ${status.size} bytes; at most ${maxBytes} are taken`)
  return readFileSync(file, 'utf8')
}
