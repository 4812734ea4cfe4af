/** The text of the macOS profile. What it does on a Mac is not tested here: there is none. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { seatbeltArgs, seatbeltProfile } from '../../sandbox/macos/seatbelt.ts'
import { policyFor } from './support/agent.ts'

const base = realpathSync(mkdtempSync(path.join(tmpdir(), 'seatbelt-')))
afterAll(() => rmSync(base, { recursive: true }))
const home = path.join(base, 'home "quoted" (x)')
const work = path.join(home, 'work')
for (const folder of ['.ssh', 'work/.git', 'work/.github/workflows'])
  mkdirSync(path.join(home, folder), { recursive: true })
writeFileSync(path.join(work, 'AGENTS.md'), '')

const profile = seatbeltProfile(policyFor(work), home, '/private/tmp/box')
const lines = profile.text.trim().split('\n')
const at = (start: string): number => {
  const found = lines.findIndex((line) => line.startsWith(start))
  expect(found, start).toBeGreaterThanOrEqual(0)
  return found
}

describe('the Seatbelt profile', () => {
  test('denies first', () => expect(lines.slice(0, 2)).toEqual(['(version 1)', '(deny default)']))

  test('is balanced, one form a line', () => {
    for (const line of lines.filter((each) => !each.startsWith(';'))) {
      const bare = line.replace(/#?"[^"]*"/g, '')
      expect(bare.split('(').length, line).toBe(bare.split(')').length)
    }
  })

  test('holds no path in its text: all are parameters, so none can close a string', () => {
    expect(profile.text).not.toContain(base)
    expect(profile.text).not.toContain('/private/tmp/box')
    const named = [...profile.text.matchAll(/\(param "([A-Z]+_\d+)"\)/g)].map(([, name]) => name)
    expect(new Set(named)).toEqual(new Set(Object.keys(profile.parameters)))
    expect(profile.parameters).toMatchObject({
      WRITE_0: work,
      WRITE_1: '/private/tmp/box',
      SECRET_0: path.join(home, '.ssh'),
    })
  })

  test('later rules win: what is held and secret comes after what is open', () => {
    expect(at('(deny file-read*')).toBeGreaterThan(at('(allow file-read*)'))
    expect(at('(deny file-write* (require-all')).toBeGreaterThan(at('(allow file-write* '))
    expect(at('(deny file-write* (subpath (param "HELD_0")')).toBeGreaterThan(at('(allow file-write* '))
    expect(at('(deny file-write-unlink (literal (param "PINNED_0")')).toBeGreaterThan(at('(allow file-write* '))
    at('(deny file-write-setugid)')
    at('(deny appleevent-send lsopen)')
  })

  test('pins the folders above what is held', () => {
    expect(Object.entries(profile.parameters).filter(([name]) => name.startsWith('PINNED'))).toEqual([
      ['PINNED_0', path.join(work, '.github')],
    ])
  })

  test.each([
    ...['/w/.git', '/w/.git/config', '/w/.GIT/hooks/x', '/w/a/b/.git/commondir', '/w/.vscode/tasks.json', '/w/.envrc'],
    ...['/w/.github/workflows/ci.yml', '/w/AGENTS.md', '/w/.cachalot/config.toml', '/w/.mcp.json'],
  ])('holds %s, also when it does not exist yet', (file) => {
    expect(expressions().some((expression) => expression.test(file))).toBe(true)
  })

  test.each([
    '/w/.gitignore',
    '/w/git/config',
    '/w/.github/ISSUE_TEMPLATE.md',
    '/w/src/AGENTS.md.ts',
    '/w/.vscodeignore',
  ])('leaves %s alone', (file) => expect(expressions().some((expression) => expression.test(file))).toBe(false))

  test('has no network unless all of it is asked for', () => {
    expect(at('(deny network*)')).toBeGreaterThan(0)
    const open = seatbeltProfile(policyFor(work, { network: 'full' }), home, '/t').text
    expect(open).toContain('(allow network* system-socket)')
    expect(open).not.toContain('(deny network*)')
  })

  test('opens nothing but the temporary folder in read-only mode', () => {
    const { parameters } = seatbeltProfile(policyFor(work, { mode: 'read-only', extraWrite: [home] }), home, '/t')
    expect(Object.entries(parameters).filter(([name]) => name.startsWith('WRITE'))).toEqual([['WRITE_0', '/t']])
  })

  test('is handed over with its values, the command after a double dash', () => {
    const args = seatbeltArgs({ text: 'T', parameters: { A_0: 'x=y z' } }, ['/bin/bash', '-c', 'true'])
    expect(args).toEqual(['-p', 'T', '-D', 'A_0=x=y z', '--', '/bin/bash', '-c', 'true'])
  })
})

function expressions(): RegExp[] {
  const line = lines[at('(deny file-write* (require-all')] ?? ''
  return [...line.matchAll(/\(regex #"([^"]+)"\)/g)].map(([, text]) => new RegExp(text ?? ''))
}
