import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { wantWritable } from '../../src/output-file.ts'
import { UsageError } from '../../src/usage-error.ts'

const folder = mkdtempSync(join(tmpdir(), 'output-file-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a file that cannot be written after the work is refused before it', () => {
  writeFileSync(join(folder, 'there'), '')
  for (const good of [undefined, join(folder, 'new.patch'), join(folder, 'there')]) {
    expect(() => wantWritable('--patch', good)).not.toThrow()
  }
  for (const bad of ['', folder, join(folder, 'no', 'a.patch'), join(folder, 'there', 'a.patch')]) {
    expect(() => wantWritable('--patch', bad), bad).toThrow(UsageError)
  }
})
