/** Background commands in a real session, in the real box: started, reached, read, stopped; none outlives the session (killed with SIGKILL: test/e2e/safe-hands.test.ts). */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { processesWith } from '../sandbox/support/processes.ts'
import { perform, sandboxWorks, stage } from './support.ts'

const works = await sandboxWorks()
const shell = (given: Record<string, unknown>) => ({ calls: [{ name: 'shell', arguments: given }] })
const until = async (there: () => boolean): Promise<void> => {
  for (let waited = 0; !there() && waited < 10_000; waited += 50) await sleep(50)
}

const server = `
const http = require('node:http')
let asked = 0
http.createServer((_, answer) => { console.log('asked ' + ++asked); answer.end('hello') })
  .listen(8765, '127.0.0.1', () => console.log('listening'))
`

test.runIf(works)(
  'a server is started, reached by a later command, read, stopped, and gone',
  { timeout: 60_000 },
  async () => {
    const ask = `node -e 'fetch("http://127.0.0.1:8765").then(r => r.text()).then(console.log, () => process.exit(9))'`
    const at = await stage(
      [
        shell({ command: 'node server.cjs', background: true }),
        shell({ command: ask }),
        shell({ id: 1 }),
        shell({ id: 1, stop: true }),
        shell({ command: ask }),
        { text: 'Done.' },
      ],
      { files: { 'server.cjs': server } },
    )
    const { events } = await perform(at, 'Go')
    const told = events.flatMap((event) => (event.type === 'tool-result' ? [event.result.content] : []))
    expect(told[0]).toContain('id 1\nlistening')
    expect(told[1]).toBe('exit code 0\nhello')
    expect(told[2]).toContain('asked 1')
    expect(told[3]).toContain('background command 1')
    expect(told[4]).toContain('exit code 9')
    expect(processesWith('server.cjs')).toEqual([])
  },
)

test.runIf(works)('what still runs is gone when the session is closed', { timeout: 60_000 }, async () => {
  const mark = `cachalot-sleeps-${process.pid}-a`
  const at = await stage([shell({ command: `exec -a ${mark} sleep 600`, background: true }), { text: 'Done.' }])
  await perform(at, 'Go')
  expect(processesWith(mark)).not.toEqual([])
  await at.session.close()
  await until(() => processesWith(mark).length === 0)
  expect(processesWith(mark)).toEqual([])
})
