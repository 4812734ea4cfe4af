import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('a record that finds no room says so and does not keep the disk full', async () => {
  const root = mkdtempSync(join(tmpdir(), 'cachalot-record-'))
  writeFileSync(join(root, 'large'), randomBytes(600_000))
  const box = [
    '--bind',
    '/',
    '/',
    '--dev-bind',
    '/dev',
    '/dev',
    '--proc',
    '/proc',
    '--size',
    '262144',
    '--tmpfs',
    '/mnt',
  ]
  const script = join(import.meta.dirname, 'programs/full-disk-record.ts')
  try {
    const { stdout } = await promisify(execFile)('bwrap', [...box, process.execPath, script, root, '/mnt'])
    const { said, names, bytes } = JSON.parse(stdout) as { said: string; names: string[]; bytes: number }
    expect(said).toMatch(/cannot be undone: git could not keep the record: .*write error/s)
    expect(names.filter((name) => /tmp_pack|crash/.test(name))).toEqual([])
    expect(bytes).toBeLessThan(100_000)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
