import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { onSmallDisk } from '../../support/small-disk.ts'

test('a record that finds no room says so and does not keep the disk full', async () => {
  const root = mkdtempSync(join(tmpdir(), 'cachalot-record-'))
  writeFileSync(join(root, 'large'), randomBytes(600_000))
  const script = join(import.meta.dirname, 'programs/full-disk-record.ts')
  try {
    const report = await onSmallDisk(script, root, '/mnt')
    const { said, names, bytes } = JSON.parse(report) as { said: string; names: string[]; bytes: number }
    expect(said).toMatch(/cannot be undone: git could not keep the record: .*write error/s)
    expect(names.filter((name) => /tmp_pack|crash/.test(name))).toEqual([])
    expect(bytes).toBeLessThan(100_000)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
