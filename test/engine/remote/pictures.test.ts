/** Pictures on the wire: as parts of a message, the same in every later request, whatever happens to the file. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Message, openRemote, type Picture } from '../../../engine/index.ts'
import { type FakeServer, fakeServer, says } from './fake-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'cachalot-pictures-'))
let server: FakeServer
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

test('a picture is a data URL beside the text; a file that is gone is told in words', async () => {
  const bytes = Buffer.from('\x89PNG bytes')
  const file = join(folder, 'a.png')
  writeFileSync(file, bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const seen: Picture = { file, mediaType: 'image/png', sha256 }
  const gone: Picture = { ...seen, file: join(folder, 'none.png'), sha256: 'x' }
  server = await fakeServer(says('A whale.'), says('Still.'))
  const model = openRemote({ baseUrl: server.baseUrl, model: 'm', vision: true })
  expect(model.info.vision).toBe(true)
  const message: Message = { role: 'user', text: 'What is it?', pictures: [seen, gone] }
  const session = await model.start([{ name: 'conversation', messages: [message] }])
  const options = { signal: new AbortController().signal, maxTokens: 10 }
  for await (const _ of session.respond(options));
  rmSync(file)
  await session.append([{ role: 'user', text: 'Sure?' }])
  for await (const _ of session.respond(options));
  const url = `data:image/png;base64,${bytes.toString('base64')}`
  const expected = [
    { type: 'text', text: 'What is it?' },
    { type: 'image_url', image_url: { url } },
    { type: 'text', text: expect.stringContaining('not on the disk') },
  ]
  const sent = server.requests.map(({ body }) => (JSON.parse(body) as { messages: { content: unknown }[] }).messages)
  expect(sent[0]?.[0]?.content).toEqual(expected)
  expect(sent[1]?.[0]?.content).toEqual(expected)
  expect(sent[1]?.at(-1)?.content).toBe('Sure?')
})
