/** Writes to a log without end: a process for the tests to kill. */
import { openLog } from '../../agent/log/write.ts'

const log = await openLog(process.argv[2]!, {
  header: {
    type: 'header',
    format: 1,
    id: 'killed',
    cwd: '/w',
    time: '2026-01-01T00:00:00.000Z',
    model: { name: 'm', place: 'scripted', dialect: 'd' },
  },
})
for (let count = 0; ; count += 1) {
  await log.messages([{ segment: 'conversation', message: { role: 'user', text: `${count} `.repeat(20_000) } }])
}
