/** Evaluation tasks: JSON lines of the form described in the evals' README; the data is never committed. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as z from 'zod'

const textFiles = z.record(z.string(), z.string())

const taskSchema = z.object({
  id: z.string(),
  set: z.string(),
  lang: z.string(),
  /** Written into an empty folder before the task is given. */
  files: textFiles,
  prompt: z.string(),
  /** Added after the work is done, before the check. */
  hidden: textFiles,
  /** A shell line; exit 0 is a pass. `JEST FILE` runs that test file by jest. */
  check: z.string(),
  /** A known solution: whole new texts of files. */
  reference: textFiles,
  /** Seconds for the check. */
  timeout: z.number().default(60),
})

export type Task = z.infer<typeof taskSchema>

/** Reads the tasks of a file or of every `.jsonl` in a folder, in file order. Throws naming file and line when one is off. */
export function loadTasks(path: string): Task[] {
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => name.endsWith('.jsonl'))
        .sort()
        .map((name) => join(path, name))
    : [path]
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line, index) => ({ line, index }))
      .filter(({ line }) => line.trim() !== '')
      .map(({ line, index }) => {
        const parsed = taskSchema.safeParse(JSON.parse(line))
        if (!parsed.success) throw new Error(`${basename(file)}:${index + 1}: ${z.prettifyError(parsed.error)}`)
        return parsed.data
      }),
  )
}
