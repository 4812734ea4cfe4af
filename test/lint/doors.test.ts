/** The one-way doors between the rooms are guarded: a planted violation is found. Works on a copy of the rooms. */
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const rooms = ['src', 'agent', 'tools', 'engine', 'sandbox']
let copy: string

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'cachalot-doors-'))
  for (const path of [...rooms, 'tsconfig.json', '.dependency-cruiser.cjs', 'package.json']) {
    cpSync(join(root, path), join(copy, path), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
})
afterAll(() => rmSync(copy, { recursive: true, force: true }))

async function cruise(): Promise<{ code: number | undefined; text: string }> {
  const { exitCode, all } = await execa(
    process.execPath,
    ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', '--config', '.dependency-cruiser.cjs', ...rooms],
    { cwd: copy, all: true, reject: false },
  )
  return { code: exitCode, text: all }
}

test('the rooms as they are keep the doors, and are really looked at', { timeout: 60_000 }, async () => {
  const { code, text } = await cruise()
  expect(text).toMatch(/no dependency violations found \(\d{2,} modules/)
  expect(code).toBe(0)
})

test.each([
  ['engine reaches up to agent', 'engine/planted.ts', "import '../agent/index.ts'\n", 'door-engine'],
  ['tools reach up to src', 'tools/planted.ts', "import '../src/paths.ts'\n", 'door-tools'],
  ['src walks past a face', 'src/planted.ts', "import '../engine/messages.ts'\n", 'face-engine'],
])('%s: found', { timeout: 60_000 }, async (_, file, text, rule) => {
  writeFileSync(join(copy, file), text)
  const result = await cruise()
  rmSync(join(copy, file))
  expect(result.text).toContain(`error ${rule}: ${file}`)
  expect(result.code).not.toBe(0)
})
