/** A file that is another for a while is what it was afterwards: whatever becomes of the work, and after kill -9. */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openWorkspace } from '../../sandbox/index.ts'
import { onTrial, recoverEdits } from '../../tools/index.ts'

function place() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cachalot-trial-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [root, journal] = [join(folder, 'tree'), join(folder, 'journal')]
  const file = join(root, 'a.py')
  return { folder, root, journal, file, text: () => readFileSync(file, 'utf8') }
}

function made() {
  const at = place()
  mkdirSync(at.root)
  writeFileSync(at.file, 'right\n')
  chmodSync(at.file, 0o755)
  return at
}

const trial = { path: 'a.py', now: Buffer.from('right\n'), tried: Buffer.from('tried\n') }

test('the work sees the tried text, and the file is what it was, also when the work fails', async () => {
  const at = made()
  const context = { workspace: openWorkspace(at.root), journal: at.journal }
  expect(await onTrial(context, trial, async () => at.text())).toBe('tried\n')
  expect(at.text()).toBe('right\n')
  await expect(onTrial(context, trial, async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(at.text()).toBe('right\n')
  expect(statSync(at.file).mode & 0o777).toBe(0o755)
  expect(readdirSync(at.journal)).toEqual([])
})

test('what somebody writes meanwhile is kept, and a file that is another already is not tried', async () => {
  const at = made()
  const context = { workspace: openWorkspace(at.root), journal: at.journal }
  await onTrial(context, trial, async () => writeFileSync(at.file, 'mine\n'))
  expect(at.text()).toBe('mine\n')
  await expect(onTrial(context, trial, async () => 'never')).rejects.toThrow('changed meanwhile')
  expect(at.text()).toBe('mine\n')
  expect(readdirSync(at.journal)).toEqual([])
})

test.each(['untouched', 'changed by somebody'])('after kill -9 in the middle it is put back (%s)', async (since) => {
  const at = made()
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const program = `
    const { onTrial } = await import(${url('../../tools/index.ts')})
    const { openWorkspace } = await import(${url('../../sandbox/index.ts')})
    const trial = { path: 'a.py', now: Buffer.from('right\\n'), tried: Buffer.from('tried\\n') }
    const context = { workspace: openWorkspace(${JSON.stringify(at.root)}), journal: ${JSON.stringify(at.journal)} }
    await onTrial(context, trial, () => new Promise(() => { console.log('there'); setInterval(() => undefined, 1000) }))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  expect(at.text()).toBe('tried\n')
  child.kill('SIGKILL')
  await ended
  if (since !== 'untouched') writeFileSync(at.file, 'mine\n')
  const [recovered, ...more] = await recoverEdits(openWorkspace(at.root), at.journal)
  expect(more).toEqual([])
  expect(recovered).toMatchObject(
    since === 'untouched'
      ? { outcome: 'finished', written: ['a.py'], message: expect.stringContaining('what was there before is back') }
      : { leftAlone: ['a.py'], written: [] },
  )
  expect(at.text()).toBe(since === 'untouched' ? 'right\n' : 'mine\n')
  expect(readdirSync(at.journal)).toEqual([])
})
