/** What a command left that programs outside would obey is told to the user, not only to the model. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSandbox } from '../../sandbox/index.ts'
import { git, perform, scratch, stage } from './support.ts'

test('a notice for each finding: what was taken back, and what is there to be looked at', async () => {
  const root = scratch({ a: '' })
  git(root, 'init', '-q')
  const config = readFileSync(join(root, '.git/config'), 'utf8')
  const command = 'git config core.fsmonitor evil; git init -q inner'
  const at = await stage([{ calls: [{ name: 'shell', arguments: { command } }] }, { text: 'Done.' }], {
    root,
    sandbox: await openSandbox({ backend: 'external', roots: [root] }),
  })
  const { events } = await perform(at, 'Go')
  const notices = events.flatMap((event) => (event.type === 'notice' ? [event.text] : []))
  expect(notices).toHaveLength(2)
  expect(notices.find((text) => text.includes('.git/config"'))).toMatch(
    /^After this command: changed: .*; it was put back\.$/,
  )
  expect(notices.find((text) => text.includes('inner'))).toMatch(
    /a new git repository .* Look at it before you work there\.$/,
  )
  expect(readFileSync(join(root, '.git/config'), 'utf8')).toBe(config)
  expect(JSON.stringify(at.model.requests[1]?.messages.at(-1))).toContain('it was put back')
})
