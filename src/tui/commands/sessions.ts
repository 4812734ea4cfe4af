/** Commands about sessions: go back to one, go another way from here, begin anew, name, export. */
import { copyFile, writeFile } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { forkSession, listSessions, replaySession } from '../../../agent/index.ts'
import type { Desk } from '../desk.ts'
import { exportMarkdown } from '../sessions/export.ts'
import { readMeta, type SessionMeta, writeMeta } from '../sessions/meta.ts'
import { type Line, line, span } from '../text/style.ts'
import type { Command, CommandContext } from './command.ts'

const resume: Command = {
  name: 'resume',
  help: 'go on with an earlier session',
  run: (_, context) => pickSession(context),
}

/** Lets the user choose among earlier sessions; those of this folder come first. */
export async function pickSession({ desk, turns }: Pick<CommandContext, 'desk' | 'turns'>): Promise<void> {
  if (turns.running) return desk.say('A turn is going on: Esc interrupts it, then /resume.', { role: 'warning' })
  const { root, folders } = desk.place
  const all = await listSessions(folders.state)
  const here = all.filter(({ cwd, firstInput }) => cwd === root && firstInput !== '')
  const sessions = [...here, ...all.filter(({ cwd, firstInput }) => cwd !== root && firstInput !== '')]
  if (sessions.length === 0) return desk.say('There are no earlier sessions.')
  const metas = await Promise.all(sessions.map(({ file }) => readMeta(file)))
  const choices = sessions.map((session, n) => ({
    label: titleOf(session.firstInput, metas[n]),
    detail: [
      ago(Date.now() - session.usedMs),
      ...(metas[n]?.branch === undefined ? [] : [`⎇ ${metas[n].branch}`]),
      ...(session.cwd === root ? [] : [session.cwd]),
      session.model,
    ].join(' · '),
  }))
  const at = await desk.choose({ title: 'Resume (type to search)', choices })
  const chosen = at === undefined ? undefined : sessions[at]
  if (chosen === undefined) return
  if (chosen.cwd !== root)
    return desk.say(`That session belongs to another folder: cd ${chosen.cwd} && cachalot --resume`)
  await desk.switchSession({ resume: chosen.file })
}

export const titleOf = (firstInput: string, meta: SessionMeta | undefined): string =>
  meta?.title ?? (firstInput.split('\n')[0] as string).slice(0, 60)

function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  if (minutes < 60 * 24) return `${Math.floor(minutes / 60)} h ago`
  return `${Math.floor(minutes / 60 / 24)} d ago`
}

const fresh: Command = {
  name: 'new',
  help: 'begin a new session; this one stays on disk',
  run: (_, { desk, turns }) =>
    turns.running
      ? desk.say('A turn is going on: Esc interrupts it, then /new.', { role: 'warning' })
      : desk.switchSession({}),
}

const fork: Command = {
  name: 'fork',
  help: 'go another way from here; /resume leads back',
  async run(_, { desk, turns }) {
    if (turns.running) return desk.say('A turn is going on: Esc interrupts it, then /fork.', { role: 'warning' })
    const { info } = await desk.session()
    const copy = await forkSession(info.logFile)
    const meta = await readMeta(info.logFile)
    await writeMeta(copy.file, { ...meta, parent: info.id, title: `${meta.title ?? 'session'} (fork)` })
    await desk.switchSession({ resume: copy.file, fork: true })
  },
}

const rename: Command = {
  name: 'rename',
  takes: 'title',
  help: 'name this session',
  async run(rest, { desk }) {
    if (rest === '') return desk.say('Say how: /rename a title', { role: 'warning' })
    const { info } = await desk.session()
    await writeMeta(info.logFile, { ...(await readMeta(info.logFile)), title: rest.slice(0, 100) })
    desk.terminal.title(`${rest} · Cachalot`)
    desk.hint(`named ${rest}`)
  },
}

const exporting: Command = {
  name: 'export',
  takes: '[md|jsonl] [path]',
  help: 'write this session to a file: markdown, or the log itself',
  choices: () => ['md', 'jsonl'],
  async run(rest, { desk }) {
    const [first = '', ...more] = rest.split(/\s+/)
    const kind = first === 'jsonl' ? 'jsonl' : 'md'
    const given = (first === 'md' || first === 'jsonl' ? more : [first, ...more]).join(' ')
    const { info } = await desk.session()
    const name = given === '' ? `cachalot-${info.id.slice(0, 10)}.${kind}` : given
    const path = isAbsolute(name) ? name : resolve(join(desk.place.root, name))
    try {
      if (kind === 'jsonl') await copyFile(info.logFile, path, 1)
      else await writeFile(path, exportMarkdown(await replaySession(info.logFile, 64 << 20), info), { flag: 'wx' })
      desk.say(`Written to ${path}`, { role: 'ok' })
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      desk.say(code === 'EEXIST' ? `${path} exists; name another: /export ${kind} <path>` : message, {
        role: 'warning',
      })
    }
  },
}

const tree: Command = {
  name: 'tree',
  help: 'the forks of this session',
  async run(_, { desk }) {
    const { info } = await desk.session()
    const sessions = await listSessions(desk.place.folders.state, { cwd: desk.place.root })
    const nodes = await Promise.all(sessions.map(async (one) => ({ ...one, meta: await readMeta(one.file) })))
    const parentOf = new Map(nodes.map(({ id, meta }) => [id, meta.parent]))
    let top = info.id
    for (let up = parentOf.get(top); up !== undefined && parentOf.has(up) && up !== info.id; up = parentOf.get(up))
      top = up
    const lines = (id: string, depth: number): Line[] => {
      const node = nodes.find((one) => one.id === id)
      const title = node === undefined ? 'this session' : titleOf(node.firstInput, node.meta)
      const here = id === info.id
      const own = [
        span('  '.repeat(depth) + (depth > 0 ? '└ ' : '')),
        ...line(title, here ? { role: 'accent', bold: true } : {}),
        span(here ? ' (here)' : node === undefined ? '' : ` ${ago(Date.now() - node.usedMs)}`, { role: 'muted' }),
      ]
      const children = depth < 20 ? nodes.filter(({ meta }) => meta.parent === id) : []
      return [own, ...children.flatMap((child) => lines(child.id, depth + 1))]
    }
    const all = lines(top, 0)
    desk.sayLines(() => all)
  },
}

const model: Command = {
  name: 'model',
  takes: '[name]',
  help: 'use another model, in a new session',
  run: (rest, context) => (rest === '' ? pickModel(context) : changeModel(context, rest)),
}

async function pickModel(context: CommandContext): Promise<void> {
  const models = await context.desk.place.models()
  const used = context.desk.ui.model
  const choices = models.map(({ name, detail, here }) => ({
    label: name,
    detail: [detail, ...(here ? [] : ['to be fetched']), ...(name === used ? ['in use'] : [])].join(', '),
  }))
  const at = await context.desk.choose({ title: 'Model', choices })
  const chosen = at === undefined ? undefined : models[at]
  if (chosen !== undefined) await changeModel(context, chosen.name)
}

async function changeModel({ desk, turns }: CommandContext, name: string): Promise<void> {
  if (turns.running) return desk.say('A turn is going on: Esc interrupts it, then /model.', { role: 'warning' })
  await desk.switchSession({ model: name })
}

export const sessionCommands: readonly Command[] = [resume, fresh, fork, rename, exporting, tree, model]

/** The newest session of this folder, for --continue. */
export async function newestHere(desk: Desk): Promise<string | undefined> {
  const sessions = await listSessions(desk.place.folders.state, { cwd: desk.place.root, most: 20 })
  return sessions.find(({ firstInput }) => firstInput !== '')?.file
}
