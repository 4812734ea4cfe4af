/** Who sends a task may say which files go with it: those, in that order, and none that its words name. */
import { expect, test } from 'vitest'
import { collect, stage } from './support.ts'

const files = {
  'check.sh': 'exit 1 # of the check\n',
  'a.txt': 'text of a\n',
  'b.txt': 'text of b\n',
  'c.txt': 'text of c\n',
}

test('they are shown, the first first; a file that the words name is not', async () => {
  const at = await stage([{ text: 'Nothing.' }, { text: 'Nothing.' }], { files, info: { prompt: 'small' } })
  const task = 'The command `sh check.sh` fails on c.txt, a.txt. Look at it.'
  await collect(at.session.send(task, { files: ['b.txt', 'a.txt'] }))
  const request = JSON.stringify(at.model.requests[0]?.messages)
  expect(request).not.toMatch(/of the check|text of c/)
  expect(request.indexOf('text of b')).toBeGreaterThan(0)
  expect(request.indexOf('text of a')).toBeGreaterThan(request.indexOf('text of b'))
  expect(request.indexOf(task)).toBeGreaterThan(request.indexOf('text of a'))
})

test('none of them there: the task by itself', async () => {
  const at = await stage([{ text: 'Nothing.' }], { files, info: { prompt: 'small' } })
  await collect(at.session.send('What is in a.txt?', { files: ['gone.txt'] }))
  expect(JSON.stringify(at.model.requests[0]?.messages)).not.toContain('text of a')
})
