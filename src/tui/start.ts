/** The first moments: is the folder trusted, which model, what the sandbox guarantees, one line of hint. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import * as z from 'zod'
import type { Desk } from './desk.ts'

const trusted = z.array(z.string())

/** False when the user does not trust the folder: then nothing of it has been read. Asks once a folder. */
export async function askTrust(desk: Desk, file: string): Promise<boolean> {
  const { root } = desk.place
  const known = await readTrusted(file)
  if (known.some((one) => root === one || root.startsWith(one.endsWith(sep) ? one : one + sep))) return true
  desk.say(`Do you trust ${root}?`, { bold: true })
  desk.say(
    'Its AGENTS.md and .cachalot settings will guide the agent, and commands will run here, in the sandbox.\nA folder of unknown origin may try to mislead the agent: its text is read by the model.',
  )
  const at = await desk.choose({
    title: 'Trust this folder?',
    choices: [
      { label: 'Yes', detail: 'remembered for this folder and what is in it' },
      { label: 'No', detail: 'leave' },
    ],
  })
  if (at !== 0) return false
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, JSON.stringify([...known, root]), { mode: 0o600 })
  return true
}

async function readTrusted(file: string): Promise<string[]> {
  try {
    return trusted.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return [] // nothing was trusted yet, or the file is damaged: ask
  }
}

/**
 * On a machine without a model: lets the user choose. `kept`: nothing to choose, the configured one is used. `left`: no
 * answer, so nothing is fetched before the first message asks for it.
 */
export async function askModel(desk: Desk): Promise<'kept' | 'left' | { readonly name: string }> {
  const { place } = desk
  if (!(await place.needsModel())) return 'kept'
  const models = await place.models()
  desk.say('There is no model on this machine yet. It is fetched once, and then nothing leaves this machine.')
  const choices = models.map(({ name, detail }) => ({ label: name, detail }))
  const at = await desk.choose({ title: 'Which model?', choices })
  const chosen = at === undefined ? undefined : models[at]
  if (chosen === undefined) {
    desk.say(`No model was chosen: your first message fetches ${place.model}. /model chooses another.`, {
      role: 'warning',
    })
    return 'left'
  }
  if (chosen.name === place.model) return 'kept'
  await place.keepModel(chosen.name)
  return { name: chosen.name }
}

/** Who we are, what holds here, where help is. */
export async function greet(desk: Desk): Promise<void> {
  const { works, words } = await desk.place.sandbox()
  desk.say(`Sandbox: ${words}`, works ? { role: 'muted' } : { role: 'warning' })
  desk.draw()
}
