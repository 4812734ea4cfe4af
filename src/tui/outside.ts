/** Writing in the user's own editor. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Desk } from './desk.ts'
import { expanded, setText } from './editor/editor.ts'

/** Opens the draft in `$VISUAL` or `$EDITOR` and takes what was saved. The draft stays as it was when that fails. */
export async function editDraft(desk: Desk): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cachalot-'))
  const file = join(folder, 'message.md')
  try {
    await writeFile(file, expanded(desk.ui.editor), { mode: 0o600 })
    if (!(await editFile(desk, file))) return
    desk.ui.editor = setText(desk.ui.editor, (await readFile(file, 'utf8')).replace(/\n$/, ''))
  } finally {
    await rm(folder, { recursive: true, force: true })
    desk.draw()
  }
}

/** True when the editor ended well. */
export async function editFile(desk: Desk, file: string): Promise<boolean> {
  const { environment } = desk.place
  const editor = environment['VISUAL'] || environment['EDITOR'] || 'vi'
  let problem: string | undefined
  await desk.suspend(async () => {
    problem = await new Promise((resolve) => {
      // The variable may hold arguments, so a shell reads it; the path is an argument of its own.
      const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
      child.on('error', (error) => resolve(error.message))
      child.on('exit', (code) => resolve(code === 0 ? undefined : `it ended with code ${code}`))
    })
  })
  if (problem !== undefined)
    desk.say(`The editor ${editor} did not work: ${problem}. Set EDITOR to another one.`, { role: 'warning' })
  return problem === undefined
}
