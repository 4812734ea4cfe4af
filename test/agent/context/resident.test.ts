/** The repository in a session: when it is there, that it stays true, that it is the same bytes the next time. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSession, type RepositoryOptions } from '../../../agent/index.ts'
import { type Model, type ReplyFunction, type Segment, scriptedModel } from '../../../engine/index.ts'
import { collect, git, missingSandbox, policyFor, put, scratch } from '../support.ts'

const files = {
  'a.ts': `export const a = 1\n${'// a line that stays\n'.repeat(30)}`,
  'b.ts': `export const b = 2\n${'// another line\n'.repeat(30)}`,
}

interface Life {
  readonly model: ReturnType<typeof scriptedModel>
  ask(task: string): Promise<string>
  close(): Promise<void>
}

async function life(
  root: string,
  folder: string,
  options: Partial<RepositoryOptions> & {
    model?: (model: Model) => Model
    reply?: ReplyFunction
    resume?: string
  } = {},
): Promise<Life & { logFile: string }> {
  const { model: wrap = (one: Model) => one, reply = () => ({ text: 'ok' }), resume, ...rest } = options
  const scripted = scriptedModel(reply, { prompt: 'full' })
  const session = await openSession({
    model: wrap(scripted),
    root,
    sandbox: missingSandbox,
    policy: policyFor(root),
    limits: { steps: 5, tokens: 10_000, seconds: 20 },
    stateFolder: folder,
    repository: { when: 'always', startupSeconds: 20, folder: join(folder, 'repositories'), ...rest },
    ...(resume === undefined ? {} : { resume }),
  })
  onTestFinished(() => session.close())
  return {
    model: scripted,
    logFile: session.info.logFile,
    async ask(task) {
      await collect(session.send(task))
      // What has changed is told in a message of its own before the task.
      const messages = scripted.requests.at(-1)?.messages ?? []
      const since = messages.slice(messages.findLastIndex(({ role }) => role === 'assistant') + 1)
      const words = since.flatMap((message) => (message.role === 'user' ? [message.text] : []))
      return words.filter((text) => !text.startsWith('The files of this repository')).join('\n\n')
    },
    close: () => session.close(),
  }
}

/** The text of the repository segment: the message behind the system's. */
const packed = ({ model }: Life): string => {
  const message = model.requests[0]?.messages[1]
  return message?.role === 'user' ? message.text : ''
}

/** A model that knows what reading costs, with nothing saved. */
const withReadings =
  (tokensPerSecond: number | undefined, saved = 0) =>
  (model: Model): Model => ({
    ...model,
    readings: {
      tokensPerSecond: async () => tokensPerSecond,
      saved: async (prefix) => {
        const tokens = JSON.stringify(prefix).length / 4
        return { tokens, saved: tokens * saved }
      },
      mark: async () => ({ first: [1], digests: [], tokens: 1 }),
    },
  })

test('auto: only what costs no wait, or is saved, and never for a small model', async () => {
  const root = scratch(files)
  const has = async (model: (one: Model) => Model, when: RepositoryOptions['when'] = 'auto') => {
    const one = await life(root, scratch(), { when, model })
    await one.ask('Say hello')
    return packed(one).includes('export const a')
  }
  expect(await has((one) => one)).toBe(false)
  expect(await has(withReadings(undefined))).toBe(false)
  expect(await has(withReadings(1))).toBe(false)
  expect(await has(withReadings(10_000))).toBe(true)
  const much = await life(scratch({ ...files, 'c.ts': 'export const c = 3\n'.repeat(500) }), scratch(), {
    when: 'auto',
    model: withReadings(10_000),
    budgetTokens: 1500,
  })
  await much.ask('Say hello')
  expect(packed(much)).toContain('export const a')
  // A slow machine, but a small repository: it is read in time.
  const system = (prefix: readonly Segment[]) =>
    JSON.stringify(prefix.filter(({ name }) => name === 'system')).length / 4
  const slowly = (one: Model): Model => {
    const readings = withReadings(80)(one).readings!
    const saved: typeof readings.saved = async (prefix) => ({
      ...(await readings.saved(prefix)),
      saved: system(prefix),
    })
    return { ...one, readings: { ...readings, saved } }
  }
  expect(await has(slowly)).toBe(true)
  // Slow, but read ahead: it has a base, and its reading is saved.
  const folder = scratch()
  const ahead = await life(root, folder, { when: 'always', model: withReadings(1, 1) })
  await ahead.ask('Say hello')
  const slow = await life(root, folder, { when: 'auto', model: withReadings(1, 1) })
  await slow.ask('Say hello')
  expect(packed(slow)).toBe(packed(ahead))
  const small = (one: Model): Model => ({ ...withReadings(10_000)(one), info: { ...one.info, prompt: 'small' } })
  expect(await has(small)).toBe(false)
  expect(await has(small, 'always')).toBe(true)
  expect(await has(withReadings(10_000), 'never')).toBe(false)
})

test('a file that changes is told as a hunk, once; one that is gone, too; what stayed is not', async () => {
  const root = scratch(files)
  const one = await life(root, scratch())
  expect(await one.ask('First')).toBe('First')
  expect(await one.ask('Second')).toBe('Second')
  put(root, { 'a.ts': files['a.ts'].replace('a = 1', 'a = 7') })
  const told = await one.ask('Third')
  expect(told).toContain('-export const a = 1\n+export const a = 7')
  expect(told).not.toContain('b.ts')
  expect(told.length).toBeLessThan(400)
  expect(await one.ask('Fourth')).toBe('Fourth')
  rmSync(join(root, 'b.ts'))
  put(root, { 'a.ts': 'x\n' })
  const more = await one.ask('Fifth')
  expect(more).toContain('b.ts is gone.')
  expect(more).toContain('a.ts\n```typescript\nx')
  expect(await one.ask('Sixth')).toBe('Sixth')
})

test('a file that moved is told where it is; when it changes there, too', async () => {
  const root = scratch({ ...files, 'same.ts': files['b.ts'] })
  const one = await life(root, scratch())
  await one.ask('First')
  rmSync(join(root, 'a.ts'))
  put(root, { 'lib/moved.ts': files['a.ts'] })
  const told = await one.ask('Second')
  expect(told).toContain('a.ts is gone; lib/moved.ts has the text that it had.')
  expect(told.length).toBeLessThan(200)
  expect(await one.ask('Third')).toBe('Third')
  put(root, { 'lib/moved.ts': `${files['a.ts']}export const more = 1\n` })
  expect(await one.ask('Fourth')).toContain('lib/moved.ts has changed since you read it.')
  // One that it knows is no new place, and neither is one that holds a secret by its name.
  rmSync(join(root, 'b.ts'))
  put(root, { '.env': files['b.ts'] })
  expect(await one.ask('Fifth')).toContain('b.ts is gone.')
})

test('a secret that comes into a file is not shown', async () => {
  const root = scratch(files)
  const one = await life(root, scratch())
  await one.ask('First')
  put(root, { 'a.ts': `const key = '${'ghp'}_${'a'.repeat(40)}'\n` })
  const told = await one.ask('Second')
  expect(told).toContain('a.ts is another now')
  expect(told).not.toContain('ghp_')
})

test('what the model wrote itself it is not told; what a command or a person did then, it is', async () => {
  const root = scratch(files)
  let step = 0
  const reply: ReplyFunction = () => {
    step += 1
    return step === 1
      ? { calls: [{ name: 'edit', arguments: { path: 'a.ts', old: 'a = 1', new: 'a = 5' } }] }
      : { text: 'done' }
  }
  const one = await life(root, scratch(), { reply })
  await one.ask('Write it')
  expect(readFileSync(join(root, 'a.ts'), 'utf8')).toContain('a = 5')
  expect(await one.ask('Next')).toBe('Next')
  put(root, { 'a.ts': 'export const a = 6\n' })
  expect(await one.ask('Next')).toContain('a = 6')
})

test('the next session begins with the same bytes and is told what changed since; much change packs anew', async () => {
  const root = scratch(files)
  const folder = scratch()
  const first = await life(root, folder)
  await first.ask('First')
  put(root, { 'b.ts': files['b.ts'].replace('b = 2', 'b = 3') })
  const second = await life(root, folder)
  const told = await second.ask('Second')
  expect(packed(second)).toBe(packed(first))
  expect(told).toContain('+export const b = 3')
  put(root, { 'a.ts': 'all is new\n'.repeat(50), 'b.ts': 'here, too\n'.repeat(50) })
  const third = await life(root, folder)
  expect(await third.ask('Third')).toBe('Third')
  expect(packed(third)).toContain('all is new')
  // A damaged file of ours is as good as none.
  for (const name of readdirSync(join(folder, 'repositories'))) writeFileSync(join(folder, 'repositories', name), '{')
  const fourth = await life(root, folder)
  await fourth.ask('Fourth')
  expect(packed(fourth)).toBe(packed(third))
})

test('what is to be left out from now on is not in the next session, however little it is', async () => {
  const root = scratch({ ...files, 'plans.md': 'ours alone\n', 'notes.md': 'mine\n', 'c.md': 'more\n' })
  git(root, 'init', '-q')
  const folder = scratch()
  const first = await life(root, folder)
  await first.ask('First')
  expect(packed(first)).toContain('ours alone')
  put(root, { '.cachalotignore': 'plans.md\n' })
  const second = await life(root, folder)
  await second.ask('Second')
  expect(packed(second)).not.toContain('ours alone')
  expect(packed(second)).toContain('mine')
  put(root, { '.gitignore': 'notes.md\n' })
  const third = await life(root, folder)
  await third.ask('Third')
  expect(packed(third)).not.toContain('mine')
  // A file that is gone is told so, and no reason to pack anew.
  rmSync(join(root, 'c.md'))
  const fourth = await life(root, folder)
  expect(await fourth.ask('Fourth')).toContain('c.md is gone.')
  expect(packed(fourth)).toBe(packed(third))
})

test('a session that is resumed knows what it was shown', async () => {
  const root = scratch({ ...files, 'c.txt': 'no newline' })
  const folder = scratch()
  const first = await life(root, folder)
  await first.ask('First')
  await first.close()
  const same = await life(root, folder, { resume: first.logFile })
  expect(await same.ask('Second')).toBe('Second')
  await same.close()
  put(root, { 'a.ts': files['a.ts'].replace('a = 1', 'a = 7') })
  const changed = await life(root, folder, { resume: first.logFile })
  expect(await changed.ask('Third')).toContain('+export const a = 7')
})
