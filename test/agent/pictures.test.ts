/** Pictures of a message: kept with the sessions, in the log by their digest, never given to a model that cannot see. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadLog } from '../../agent/log/load.ts'
import { collect, scratch, stage } from './support.ts'

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const picture = (name: string, bytes: Buffer = png): string => {
  const file = join(scratch(), name)
  writeFileSync(file, bytes)
  return file
}

test('a model with vision gets them; a resumed session finds them again', async () => {
  const at = await stage([{ text: 'A dot.' }], { info: { vision: true } })
  const file = picture('dot.png')
  await collect(at.session.send('What is this?', { pictures: [file, file] }))
  const message = at.model.requests[0]?.messages.at(-1)
  expect(message).toMatchObject({ role: 'user', pictures: [{ mediaType: 'image/png' }, {}] })
  const kept = join(at.state, 'sessions', 'attachments')
  expect(readdirSync(kept).length).toBe(1)
  expect(readFileSync(join(kept, readdirSync(kept)[0] as string))).toEqual(png)
  const { segments } = await loadLog(at.session.info.logFile)
  expect(segments.at(-1)?.messages).toContainEqual(message)
})

test('a model without vision gets the words only, and the user is told', async () => {
  const at = await stage([{ text: 'What picture?' }])
  const events = await collect(at.session.send('Look.', { pictures: [picture('dot.png')] }))
  expect(events).toContainEqual(expect.objectContaining({ type: 'notice', text: expect.stringContaining('dot.png') }))
  expect(at.model.requests[0]?.messages.at(-1)).not.toHaveProperty('pictures')
  expect(readdirSync(join(at.state, 'sessions'))).not.toContain('attachments')
})

test('what is no picture, too large or gone is told, and the rest goes', async () => {
  const at = await stage([{ text: 'ok' }], { info: { vision: true } })
  const files = [
    picture('fake.png', Buffer.from('hello')),
    picture('big.png', Buffer.concat([png, Buffer.alloc(9 << 20)])),
    '/nowhere/x.png',
    picture('dot.png'),
  ]
  const events = await collect(at.session.send('Look.', { pictures: files }))
  const told = events.flatMap((event) => (event.type === 'notice' ? [event.text] : [])).join('\n')
  expect(told).toMatch(/fake\.png .*no PNG[\s\S]*big\.png .*larger than 8 MiB[\s\S]*x\.png .*no such file/)
  expect(at.model.requests[0]?.messages.at(-1)).toMatchObject({ pictures: [{}] })
})
