import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { openTerminal } from '../../src/tui/terminal.ts'

it('each question about the cursor has its own answer, in order', async () => {
  const stdin = new PassThrough()
  const stdout = Object.assign(new EventEmitter(), { write: () => true })
  const terminal = openTerminal({
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    environment: { TERM: 'linux' },
  })
  const rows = [terminal.cursorRow(10_000), terminal.cursorRow(10_000)]
  stdin.write('\x1b[3;1R')
  stdin.write('\x1b[9;1R')
  expect(await Promise.all(rows)).toEqual([3, 9])
  terminal.close()
})
