/** Completion and the manual page, by the programs that read them. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { commandTable, everyCommand } from '../../../src/commands/command-table.ts'
import { completion } from '../../../src/commands/completion.ts'
import { manPage } from '../../../src/commands/man-page.ts'
import { help } from '../../../src/help.ts'
import { buildProgram } from '../../../src/main.ts'

const table = commandTable(buildProgram(() => undefined))
const folder = mkdtempSync(join(tmpdir(), 'cachalot-completion-'))
const script = join(folder, 'completion.bash')
writeFileSync(script, completion('bash', table))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What bash offers for the line as it stands; the last word is the one being written. */
function offered(...words: string[]): string[] {
  const line = words.map((word) => `'${word}'`).join(' ')
  const program = `source ${script}; COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _cachalot; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['--norc', '-c', program], { encoding: 'utf8' })
    .split('\n')
    .filter((word) => word !== '')
}

test('bash takes the script and completes with it', () => {
  const registered = execFileSync('bash', ['--norc', '-c', `source ${script}; complete -p cachalot`], {
    encoding: 'utf8',
  })
  expect(registered.trim()).toBe('complete -o default -F _cachalot cachalot')
  expect(offered('cachalot', '')).toEqual(table.commands.map(({ path }) => path[0]))
  expect(offered('cachalot', 'mod')).toEqual(['model'])
  expect(offered('cachalot', 'model', 'p')).toEqual(['pull', 'path'])
  expect(offered('cachalot', 'run', '--output-f')).toEqual(['--output-format'])
  expect(offered('cachalot', '--model', 'x', 'serve', '--po')).toEqual(['--port'])
})

test('files are left to the shell: words of a task, values of options', () => {
  expect(offered('cachalot', 'run', 'a')).toEqual([])
  expect(offered('cachalot', 'run', '--patch', '--')).toEqual([])
})

test.each([
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
])('%s reads its script, where it is here', (shell, check) => {
  const text = completion(shell, table)
  for (const { path } of table.commands) expect(text).toContain(path[0])
  const program = join('/usr/bin', shell)
  if (!existsSync(program)) return
  const file = join(folder, shell)
  writeFileSync(file, text)
  execFileSync(program, [...check, file])
})

test('an unknown shell is a usage error', () => {
  expect(() => completion('tcsh', table)).toThrow('bash, zsh or fish')
})

test('the page is shown by man without a warning, and has every command and option', () => {
  const file = join(folder, 'cachalot.1')
  writeFileSync(file, manPage(table, '1.2.3', help))
  if (!existsSync('/usr/bin/groff')) return
  const groff = ['-man', '-Tutf8', '-Kutf8', '-ww', '-P-c', file]
  const shown = execFileSync('groff', groff, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const plain = shown.replace(/.\u0008/gu, '').replace(/\s+/g, ' ')
  for (const { path, options } of everyCommand(table)) {
    expect(plain).toContain(['cachalot', ...path].join(' '))
    for (const { flags } of options) expect(plain).toContain(flags)
  }
  expect(plain).toContain('Cachalot 1.2.3')
})

test('every command that is not hidden stands in --help', () => {
  for (const { path } of table.commands) expect(help).toMatch(new RegExp(`\\b${path[0]}\\b`))
})
