/** `npm pack`, then `npm install -g` of the tarball into a scratch prefix: the program called `cachalot` does a job. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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
  // Built already; packing must not build again beside other tests. Only the types are not part of a build.
  if (!existsSync(join(projectRoot, 'dist', 'index.d.ts')))
    await execa(process.execPath, ['scripts/types.ts'], { cwd: projectRoot })
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

  // Grammars come with it: what is too large to be shown whole is outlined.
  const big = `package a\n\nfunc Big(x int) int {\n${'\tx++\n'.repeat(30_000)}\treturn x\n}\n`
  writeFileSync(join(place.repo, 'big.go'), big)
  const context = await run(['context', '--json', '--repository', 'always', '--model', model])
  const { files } = JSON.parse(context.stdout) as { files: { path: string; state: string }[] }
  expect(files).toContainEqual(expect.objectContaining({ path: 'big.go', state: 'outlined', reason: 'big' }))
  expect(existsSync(join(prefix, 'share', 'man', 'man1', 'cachalot.1'))).toBe(true)

  // The library, from the same installation: the example of the documentation, as it stands there, and its types.
  symlinkSync(join(prefix, 'lib', 'node_modules'), join(prefix, 'node_modules'))
  const [, example = ''] = /```js\n(.*?)```/s.exec(readFileSync(join(projectRoot, 'docs', 'library.md'), 'utf8')) ?? []
  writeFileSync(join(prefix, 'example.mjs'), example)
  const again = place.script([{ calls: [editCall('a.txt', 'two', 'one')] }, { text: 'Changed back.' }])
  // Node 20, which the project of a library may have, lacks this.
  const old = ['--import', 'data:text/javascript,delete Promise.withResolvers']
  const used = await execa(process.execPath, [...old, join(prefix, 'example.mjs'), place.repo], {
    env: { ...environment(place.home), CACHALOT_MODEL: again },
    extendEnv: false,
    reject: false,
  })
  expect(used).toMatchObject({ exitCode: 0, stderr: '' })
  expect(used.stdout).toContain('Changed back.')
  expect(used.stdout).toMatch(/did: edit\n[\s\S]*done, \d steps?\na\.txt: changed/)
  expect(place.read('a.txt')).toBe('one\n')
  writeFileSync(join(prefix, 'example.mts'), `declare const process: any\ndeclare const console: any\n${example}`)
  const check = ['--noEmit', '--strict', '--target', 'es2024', '--module', 'nodenext', '--types', '', 'example.mts']
  const types = await execa(join(projectRoot, 'node_modules', '.bin', 'tsc'), check, { cwd: prefix, reject: false })
  expect(types).toMatchObject({ exitCode: 0, stdout: '' })
})
