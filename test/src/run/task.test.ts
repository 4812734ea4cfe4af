import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readTask } from '../../../src/run/task.ts'
import { UsageError } from '../../../src/usage-error.ts'

const read = (words: string[], input: Readable | string | undefined, notes: string[] = []): Promise<string> =>
  readTask({
    words,
    stdin: typeof input === 'string' ? Readable.from([Buffer.from(input)]) : (input ?? Readable.from([])),
    piped: input !== undefined,
    note: (text) => notes.push(text),
  })

test('words, stdin, or both', async () => {
  expect(await read(['fix', 'it'], undefined)).toBe('fix it')
  expect(await read([], 'fix it\n')).toBe('fix it')
  expect(await read(['-'], 'fix it\n')).toBe('fix it')
  expect(await read(['fix'], '')).toBe('fix')
  expect(await read(['fix'], 'error: x\n')).toBe('fix\n\nInput:\n```\nerror: x\n```')
  expect(await read(['fix'], '````\nx\n````\n')).toContain('`````\n````\nx')
})

test('no task is a usage error, never a wait', async () => {
  await expect(read([], undefined)).rejects.toThrow(UsageError)
  await expect(read([], ' \n')).rejects.toThrow('stdin was empty')
})

test('too much input is refused', async () => {
  await expect(read(['x'], 'y'.repeat(9 * 1024 * 1024))).rejects.toThrow('8 MiB')
})

test('a pipe that nobody writes to does not hold up a task that is there', async () => {
  const notes: string[] = []
  expect(await read(['fix'], new PassThrough(), notes)).toBe('fix')
  expect(notes).toHaveLength(1)
})
