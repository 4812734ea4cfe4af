/**
 * A process that swaps a folder for a link out of the root and back, as fast as it can, while our code writes, reads,
 * lists and removes there. What is judged is the outside: nothing may appear, vanish or be read.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openWorkspace, WorkspaceError } from '../../sandbox/index.ts'

const TRIES = 50_000
/**
 * A renames loop without pauses; ends with its parent. A write of ours may make the folder anew between two renames:
 * that one is removed and the loop goes on.
 */
const FLIP = `
  const fs = require('node:fs'); process.chdir(process.argv[1])
  const parent = process.ppid
  const clear = (name) => { try { fs.rmSync(name, { recursive: true, force: true }) } catch {} }
  const move = (from, to) => {
    for (;;) try { return fs.renameSync(from, to) } catch { clear(to) }
  }
  for (let n = 0; ; n++) {
    move('d', 'folder'); move('link', 'd'); move('d', 'link'); move('folder', 'd')
    if (n % 1000 === 0 && process.ppid !== parent) process.exit()
  }`

// In memory where there is such a place: the disk's speed is not what is tried here.
const place = ((): string => {
  try {
    return mkdtempSync('/dev/shm/race-')
  } catch {
    return mkdtempSync(path.join(tmpdir(), 'race-'))
  }
})()
const base = realpathSync(place)
afterAll(() => rmSync(base, { recursive: true, force: true }))

test(`${TRIES} tries against a swapped folder: none escapes`, { timeout: 240_000 }, async () => {
  const [root, outside] = [path.join(base, 'root'), path.join(base, 'outside')]
  mkdirSync(path.join(root, 'd'), { recursive: true })
  mkdirSync(outside)
  writeFileSync(path.join(root, 'd/kept'), 'inside')
  writeFileSync(path.join(outside, 'kept'), 'SECRET')
  writeFileSync(path.join(outside, 'only-outside'), 'SECRET')
  symlinkSync('../outside', path.join(root, 'link'))
  const workspace = openWorkspace(root)
  const flip = spawn(process.execPath, ['-e', FLIP, root], { stdio: 'inherit' })
  const seen = { done: 0, refused: 0, escaped: 0 }
  const attempt = async (work: () => Promise<boolean>): Promise<void> => {
    try {
      if (await work()) seen.escaped++
      else seen.done++
    } catch (error) {
      if (!(error instanceof WorkspaceError)) throw error
      seen.refused++
    }
  }
  try {
    // On a busy machine the two take turns instead of racing: then it goes on until they have met often enough.
    const met = () => Math.min(seen.done, seen.refused) > TRIES / 100
    for (let round = 0; round < TRIES / 5 || (!met() && round < TRIES); round++) {
      await attempt(async () => (await workspace.read('d/kept')).includes('SECRET'))
      await attempt(async () => (await workspace.list('d')).includes('only-outside'))
      await attempt(async () => (await workspace.stat('d/only-outside')) !== undefined)
      await attempt(async () => workspace.write('d/written', Buffer.from('x')).then(() => false))
      await attempt(async () => workspace.remove('d/only-outside').then(() => true))
    }
    expect(flip.exitCode).toBeNull()
  } finally {
    flip.kill('SIGKILL')
  }
  expect(readdirSync(outside).sort()).toEqual(['kept', 'only-outside'])
  // Whole, so that a failure on a busy machine says which of them it was.
  expect(seen).toMatchObject({ escaped: 0 })
  // Both sides of the swap were met: otherwise nothing was raced.
  expect(Math.min(seen.done, seen.refused), JSON.stringify(seen)).toBeGreaterThan(TRIES / 100)
})
