/** The first moments: is the folder trusted, which model, what the sandbox guarantees, one line of hint. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import * as z from 'zod'
import { newestHere, pickSession } from './commands/sessions.ts'
import { branchOf } from './current.ts'
import type { Desk } from './desk.ts'
import { line } from './text/style.ts'
import { themeFor } from './text/themes.ts'
import type { Turns } from './turns.ts'

const trusted = z.array(z.string())

/** What the session begins with. */
export interface Begin {
  /** `newest`: the last one of this folder. `pick`: the user chooses. */
  readonly session: 'new' | 'newest' | 'pick'
  readonly message: string | undefined
}

export interface Start {
  readonly desk: Desk
  readonly turns: Turns
  readonly begin: Begin
  /** Where trusted folders are remembered. */
  readonly trustFile: string
  /** Lines for the user before anything else. */
  readonly warnings: readonly string[]
  /** Whether the terminal is asked for its background. */
  readonly findTheme: boolean
}

/** Everything up to the prompt, and what the session begins with. False: the folder is not trusted, nothing was begun. */
export async function beginSession({ desk, turns, begin, trustFile, warnings, findTheme }: Start): Promise<boolean> {
  const { root, version } = desk.place
  desk.terminal.title(`${root.split('/').at(-1) ?? ''} · Cachalot`)
  desk.ui.branch = branchOf(root)
  desk.sayLines(() => [line(`Cachalot ${version}`, { role: 'accent', bold: true })])
  for (const text of warnings) desk.say(text, { role: 'warning' })
  desk.draw()
  const shade = findTheme ? desk.terminal.background(300) : undefined
  void shade?.then((found) => {
    if (found !== undefined && themeFor(found) !== desk.theme()) desk.setTheme(themeFor(found))
  })
  if (!(await askTrust(desk, trustFile))) return false
  const model = await askModel(desk)
  desk.say('Say what is to be done. /help lists commands, /keys the keys; Shift-Tab changes how much is asked.', {
    role: 'muted',
  })
  if (begin.session === 'pick') await pickSession({ desk, turns })
  else if (begin.session === 'newest') await resumeNewest(desk)
  else if (model !== 'left') {
    // Fetching and loading go on while the first message is written.
    const opening = model === 'kept' ? desk.session() : desk.switchSession({ model: model.name })
    opening.catch((error: Error) => desk.say(error.message, { role: 'error' }))
  }
  if (begin.message !== undefined) turns.submit(begin.message, 'boundary')
  await Promise.all([greet(desk), desk.files.ready()])
  return true
}

async function resumeNewest(desk: Desk): Promise<void> {
  const file = await newestHere(desk)
  if (file === undefined) desk.say('There is no earlier session in this folder: this is a new one.', { role: 'muted' })
  else await desk.switchSession({ resume: file })
}

/** False when the user does not trust the folder: then nothing of it has been read. Asks once a folder. */
async function askTrust(desk: Desk, file: string): Promise<boolean> {
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
async function askModel(desk: Desk): Promise<'kept' | 'left' | { readonly name: string }> {
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
async function greet(desk: Desk): Promise<void> {
  const { works, words } = await desk.place.sandbox()
  desk.say(`Sandbox: ${words}`, works ? { role: 'muted' } : { role: 'warning' })
  desk.draw()
}
