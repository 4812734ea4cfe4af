import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { askForModel } from '../../../src/model/ask.ts'
import { ensureModel } from '../../../src/model/ensure.ts'
import { resolvePaths } from '../../../src/paths.ts'

const quiet = new AbortController().signal

async function answer(words: string): Promise<{ name: string; shown: string }> {
  const input = new PassThrough()
  const output = new PassThrough()
  input.end(words)
  const shown = text(output)
  const entry = await askForModel({ input, output, signal: quiet })
  output.end()
  return { name: entry.name, shown: await shown }
}

test('the question shows what there is to choose from and what fits', async () => {
  const { name, shown } = await answer('\n')
  expect(name).toBe('qwen2.5-coder-1.5b')
  expect(shown).toMatch(/1 +qwen2.5-coder-1.5b +1.1 GB +\w+, needs 1.9 GB +Apache-2.0 +default/)
  expect(shown).toMatch(/2 +qwen2.5-coder-0.5b +491 MB/)
})

test('a number or a name is an answer, anything else is asked again, the end of input is the default', async () => {
  expect((await answer('2\n')).name).toBe('qwen2.5-coder-0.5b')
  expect((await answer('Qwen2.5-coder-0.5b\n')).name).toBe('qwen2.5-coder-0.5b')
  const unsure = await answer('99\nwhat?\n2\n')
  expect(unsure.name).toBe('qwen2.5-coder-0.5b')
  expect(unsure.shown.match(/none of them/g)).toHaveLength(2)
  expect((await answer('')).name).toBe('qwen2.5-coder-1.5b')
})

test('Ctrl-C ends the question', async () => {
  const controller = new AbortController()
  const asking = askForModel({ input: new PassThrough(), output: new PassThrough(), signal: controller.signal })
  setTimeout(() => controller.abort(), 50)
  await expect(asking).rejects.toMatchObject({ name: 'AbortError' })
})

test('without a terminal nothing is asked: the default is fetched; in one, the question comes first', async () => {
  const home = await mkdtemp(join(tmpdir(), 'cachalot-ensure-'))
  const controller = new AbortController()
  const notes: string[] = []
  const output = new PassThrough()
  const options = {
    paths: resolvePaths({ CACHALOT_HOME: home }),
    model: undefined,
    dialect: undefined,
    cwd: home,
    signal: controller.signal,
    // The first word about the download is enough: nothing is to be fetched here.
    screen: {
      status: () => undefined,
      note(line: string) {
        notes.push(line)
        controller.abort()
      },
    },
    animated: false,
  }
  await expect(ensureModel({ ...options, terminal: undefined })).rejects.toMatchObject({ name: 'AbortError' })
  expect(notes[0]).toMatch(/^qwen2.5-coder-1.5b \(1.1 GB, Apache-2.0\) is fetched once, to /)
  expect(output.readableLength).toBe(0)

  const asked = ensureModel({
    ...options,
    signal: AbortSignal.timeout(300),
    terminal: { input: new PassThrough(), output },
  })
  await expect(asked).rejects.toThrow()
  expect(String(output.read())).toContain('There is no model on this machine yet')
  await rm(home, { recursive: true, force: true })
})
