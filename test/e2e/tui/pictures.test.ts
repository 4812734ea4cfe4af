/** Pictures in the editor: a dropped path, the clipboard; to an endpoint with vision, and to a model that cannot see. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { type FakeOpenAi, startFakeOpenAi } from '../../fake-openai/server.ts'
import { openPty, type Pty } from './pty.ts'

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
let pty: Pty
let server: FakeOpenAi | undefined
const scratch = mkdtempSync(join(tmpdir(), 'cachalot-pictures-'))
afterEach(async () => {
  pty.dispose()
  await server?.close()
  server = undefined
  rmSync(scratch, { recursive: true, force: true })
})

/** A desktop whose clipboard holds the picture. */
function desktop(): Record<string, string> {
  mkdirSync(scratch, { recursive: true })
  const xclip = join(scratch, 'xclip')
  writeFileSync(xclip, `#!/bin/sh\nprintf %s ${png} | base64 -d\n`)
  chmodSync(xclip, 0o755)
  return { DISPLAY: ':9', WAYLAND_DISPLAY: '', PATH: `${scratch}:${process.env['PATH'] ?? ''}` }
}

it('go to a remote model with vision, from a dropped path and from the clipboard', async () => {
  server = await startFakeOpenAi([{ text: 'Two dots.' }])
  const remote = { CACHALOT_BASE_URL: server.baseUrl, CACHALOT_MODEL: 'fake', CACHALOT_VISION: 'on' }
  pty = openPty({ environment: { ...remote, ...desktop() } })
  await pty.until(/\/help lists/)
  const file = join(pty.folder, 'my dot.png')
  writeFileSync(file, Buffer.from(png, 'base64'))
  pty.type(`what is \x1b[200~${file.replace(' ', '\\ ')}\x1b[201~and `)
  await pty.until('[picture my dot.png]')
  pty.type('\x16')
  await pty.until('[picture clipboard-')
  pty.type('\r')
  await pty.until('Two dots.')
  await pty.until('✓ done')
  const content = server.requests[0]?.body.messages.at(-1)?.['content']
  const url = { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }
  expect(content).toEqual([{ type: 'text', text: expect.stringContaining('my dot.png') }, url, url])
  expect(readdirSync(join(pty.home, 'state', 'sessions', 'attachments')).length).toBe(1)
})

it('are refused in words by a model that reads text only, and the message goes on', async () => {
  pty = openPty({ replies: [{ text: 'I cannot see it.' }], environment: desktop() })
  await pty.until(/\/help lists/)
  await pty.until('scripted')
  pty.type('\x16')
  await pty.until('[picture clipboard-')
  pty.type('look\r')
  await pty.until('is not shown to the model: scripted reads text only')
  await pty.until('I cannot see it.')
})

it('Ctrl-V without a desktop says so', async () => {
  pty = openPty({ replies: [], environment: { DISPLAY: '', WAYLAND_DISPLAY: '' } })
  await pty.until(/\/help lists/)
  pty.type('\x16')
  await pty.until('no desktop here')
})
