/** `npm pack`, then `npm install -g` of the tarball into a scratch prefix: the program called `cachalot` does a job. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { editCall } from './calls.ts'
import { environment, projectRoot, type Scratch, scratch } from './program.ts'

let prefix: string
let place: Scratch
beforeAll(() => {
  prefix = mkdtempSync(join(tmpdir(), 'cachalot-prefix-'))
  place = scratch({ 'a.txt': 'one\n' })
})
afterAll(() => {
  rmSync(prefix, { recursive: true, force: true })
  place.remove()
})

test('packed, installed, run', { timeout: 300_000 }, async () => {
  // Built already; packing must not build again beside other tests.
  await execa('npm', ['pack', '--ignore-scripts', '--pack-destination', prefix], { cwd: projectRoot })
  const tarball = readdirSync(prefix).find((name) => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack made no tarball')
  const install = [
    'install',
    '-g',
    '--prefix',
    prefix,
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    join(prefix, tarball),
  ]
  await execa('npm', install, { cwd: prefix })

  const program = join(prefix, 'bin', 'cachalot')
  const run = (words: string[]) =>
    execa(program, words, {
      cwd: place.repo,
      stdin: 'ignore',
      env: environment(place.home),
      extendEnv: false,
      reject: false,
    })
  expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+$/)
  const model = place.script([{ calls: [editCall('a.txt', 'one', 'two')] }, { text: 'Changed.' }])
  const { exitCode, stdout } = await run(['run', 'Change a.txt', '--model', model])
  expect(stdout).toContain('✓ done · 1 file changed +1 −1')
  expect(exitCode).toBe(0)
  expect(place.read('a.txt')).toBe('two\n')
})
