/** `run` with nobody watching: in a worktree, as a plan only, with a result of a given form. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startFakeOpenAi } from '../../fake-openai/server.ts'
import { editCall, shellCall } from '../calls.ts'
import { eventsOf, type Scratch, scratch } from '../program.ts'

let place: Scratch
beforeEach(() => {
  place = scratch({ 'a.txt': 'one\n', 'check.sh': 'grep -q two a.txt\n', '.gitignore': 'node_modules\n' })
})
afterEach(() => place.remove())

const git = (...words: string[]): string =>
  execFileSync('git', words, { cwd: place.repo, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
const worktrees = (): string[] => {
  const folder = join(place.home, 'own', 'state', 'worktrees')
  return existsSync(folder) ? readdirSync(folder) : []
}
const change = [{ calls: [editCall('a.txt', 'one', 'two')] }, { text: 'Changed.' }]

async function run(words: readonly string[], replies: readonly object[]) {
  const { exitCode, stdout, stderr } = await place.run(['run', ...words, '--json', '--model', place.script(replies)])
  const events = eventsOf(stdout)
  return { exitCode, events, result: events.at(-1) as unknown as Record<string, unknown>, stderr: String(stderr) }
}

describe('--worktree', () => {
  test('with --commit: a branch with one commit; the tree, dirty as it was, is untouched', async () => {
    writeFileSync(join(place.repo, 'a.txt'), 'one, and mine\n')
    writeFileSync(join(place.repo, 'new.txt'), 'mine too\n')
    git('add', 'new.txt')
    const before = place.snapshot()
    const status = git('status', '--porcelain')
    const words = ['Change a.txt', '--worktree', '--commit', '--check', 'sh check.sh']
    const { exitCode, events, result } = await run(words, change)
    expect(result).toMatchObject({ exit: 'done', checks: [{ name: 'check', passed: true }] })
    expect(exitCode).toBe(0)
    expect(place.snapshot()).toEqual(before)
    expect(git('status', '--porcelain')).toBe(status)
    const branch = String(result['branch'])
    expect(branch).toMatch(/^cachalot\/change-a-txt-[0-9a-f]{6}$/)
    expect(git('show', `${branch}:a.txt`)).toBe('two')
    expect(git('rev-parse', branch)).toBe(result['commit'])
    expect(git('rev-parse', `${branch}^`)).toBe(git('rev-parse', 'HEAD'))
    expect(JSON.stringify(events)).toContain('2 files with changes that are in no commit')
    expect(worktrees()).toEqual([])
    expect(git('worktree', 'list').split('\n')).toHaveLength(1)
  })

  test('with --patch: the patch applies, and no worktree or branch is left', async () => {
    const patch = join(place.home, 'out.patch')
    const { result } = await run(['Change a.txt', '--worktree', '--patch', patch], change)
    expect(result).toMatchObject({ exit: 'done', changes: [{ path: 'a.txt' }] })
    expect(place.read('a.txt')).toBe('one\n')
    expect(worktrees()).toEqual([])
    expect(git('branch', '--list', 'cachalot/*')).toBe('')
    git('apply', patch)
    expect(place.read('a.txt')).toBe('two\n')
  })

  test('with a --patch that cannot be written: said before anything is done', async () => {
    const { exitCode, result } = await run(
      ['Change a.txt', '--worktree', '--patch', join(place.home, 'no', 'a')],
      change,
    )
    expect(exitCode).toBe(2)
    expect(result).toMatchObject({ exit: 'usage', text: expect.stringContaining('there is no folder') })
    expect(worktrees()).toEqual([])
  })

  test('by itself: the changes stay in it, and the result says where', async () => {
    const { result } = await run(['Change a.txt', '--worktree'], change)
    expect(readFileSync(join(String(result['worktree']), 'a.txt'), 'utf8')).toBe('two\n')
    expect(place.read('a.txt')).toBe('one\n')
  })

  test('nothing changed, nothing left; installed dependencies are there, in a folder below the top too', async () => {
    mkdirSync(join(place.repo, 'node_modules'))
    const words = ['What is linked?', '--worktree']
    const look = shellCall('test -L node_modules && git rev-parse --abbrev-ref HEAD')
    const { result, events } = await run(words, [{ calls: [look] }, { text: 'That.' }])
    expect(result).toMatchObject({ exit: 'done', changes: [] })
    expect(JSON.stringify(events)).toContain('"exitCode":0')
    expect(worktrees()).toEqual([])
    expect(git('branch', '--list', 'cachalot/*')).toBe('')
  })

  test('an error before the run, or an interruption in it: nothing is left', async () => {
    const gone = await place.run(['run', 'x', '--worktree', '--model', '/nowhere.gguf'])
    expect(gone.exitCode).toBe(3)
    const child = place.start([
      'run',
      'x',
      '--worktree',
      '--json',
      '--model',
      place.script([{ delayMs: 30_000, text: 'x' }]),
    ])
    await new Promise<void>((resolve) =>
      child.stdout?.on('data', (text) => String(text).includes('"step"') && resolve()),
    )
    child.kill('SIGINT')
    expect((await child).exitCode).toBe(130)
    expect(worktrees()).toEqual([])
    expect(git('branch', '--list', 'cachalot/*')).toBe('')
  })

  test('not possible: said, exit 2', async () => {
    const words = ['run', 'x', '--worktree', '--cwd', place.home, '--model', place.script([])]
    const { exitCode, stderr } = await place.run(words)
    expect(stderr).toContain('a worktree needs a git repository with a commit')
    expect(exitCode).toBe(2)
  })
})

describe('--dry-run touches nothing', () => {
  test('the plan in words; a command can look but not write', async () => {
    const before = place.snapshot()
    const replies = [{ calls: [shellCall('cat a.txt; echo x > made.txt')] }, { text: '1. a.txt: one becomes two.' }]
    const words = ['Change a.txt', '--dry-run', '--commit', '--check', 'sh check.sh']
    const { exitCode, result, events } = await run(words, replies)
    expect(result).toMatchObject({ exit: 'done', text: '1. a.txt: one becomes two.', changes: [], planned: [] })
    expect(exitCode).toBe(0)
    const said = events.flatMap((event) => (event.type === 'notice' ? [event.text] : []))
    expect(said).toContain('done would mean that this passes: sh check.sh')
    expect(said).toContain('would commit what was changed')
    expect(place.snapshot()).toEqual(before)
    expect(git('rev-list', '--count', 'HEAD')).toBe('1')
  })

  test('a change that the model writes all the same is shown as the plan', async () => {
    const before = place.snapshot()
    const { result } = await run(['Change a.txt', '--dry-run'], [...change, ...change])
    expect(result).toMatchObject({ exit: 'done', planned: [{ path: 'a.txt', diff: expect.stringContaining('+two') }] })
    expect(place.snapshot()).toEqual(before)
  })

  test('what is done without a model is planned so', async () => {
    const before = place.snapshot()
    const model = place.script([], { finishes: 'edits', prompt: 'small' })
    const words = ['run', 'Rename one to two_of everywhere in a.txt', '--dry-run', '--json', '--model', model]
    const { stdout } = await place.run(words)
    const planned = [{ path: 'a.txt', diff: expect.stringContaining('+two_of') }]
    expect(eventsOf(stdout).at(-1)).toMatchObject({ exit: 'done', steps: 0, planned })
    expect(place.snapshot()).toEqual(before)
  })
})

describe('--output-schema', () => {
  const schema = { type: 'object', properties: { count: { type: 'integer' } }, required: ['count'] }
  const file = (text: string): string => {
    const path = join(place.home, 'schema.json')
    writeFileSync(path, text)
    return path
  }

  test('a wrong value is asked for again; the right one is the result', async () => {
    const replies = [
      { text: 'There are three.' },
      { text: '{"count":"3"}' },
      { text: 'Here:\n```json\n{"count": 3}\n```' },
    ]
    const words = ['How many?', '--output-schema', file(JSON.stringify(schema))]
    const { exitCode, result, events } = await run(words, replies)
    expect(result).toMatchObject({ exit: 'done', output: { count: 3 }, text: '{"count":3}', steps: 3 })
    expect(exitCode).toBe(0)
    expect(events.filter(({ type }) => type === 'result')).toHaveLength(1)
    expect(JSON.stringify(events)).toContain('count: Invalid input: expected')
  })

  test('a small model that writes it as a fence without a path is understood at once', async () => {
    const path = file(JSON.stringify(schema))
    const rest = { dialect: 'qwen', finishes: 'edits', prompt: 'small' }
    const model = place.script([{ raw: '```json\n{\n  "count": 3\n}\n```' }], rest)
    const words = ['run', 'How many are in a.txt?', '--json', '--output-schema', path, '--model', model]
    const { exitCode, stdout } = await place.run(words)
    expect(eventsOf(stdout).at(-1)).toMatchObject({ exit: 'done', output: { count: 3 }, steps: 1 })
    expect(exitCode).toBe(0)
  })

  test('never right: exit 1; with --quiet the right one alone is on stdout', async () => {
    const path = file(JSON.stringify(schema))
    const wrong = await run(['How many?', '--output-schema', path], Array(3).fill({ text: 'Three.' }))
    expect(wrong).toMatchObject({ exitCode: 1, result: { exit: 'not-done' } })
    const model = place.script([{ text: 'Sure: {"count": 3} it is.' }])
    const { stdout } = await place.run(['run', 'How many?', '--quiet', '--output-schema', path, '--model', model])
    expect(stdout).toBe('{"count":3}\n')
  })

  test.each([
    ['not there', undefined],
    ['no JSON', '{'],
    ['no schema', '[]'],
    ['more than we check', '{"not":{"type":"string"}}'],
  ])('a file that is %s: exit 2 before the model is asked', async (_, text) => {
    const path = text === undefined ? join(place.home, 'none.json') : file(text)
    const { exitCode, stderr, events } = await run(['How many?', '--output-schema', path], [{ text: '1' }])
    expect(stderr).toContain('--output-schema')
    expect(exitCode).toBe(2)
    expect(events.map(({ type }) => type)).toEqual(['result'])
  })
})

describe('--image', () => {
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

  test('goes with the task to an endpoint with vision', async () => {
    const server = await startFakeOpenAi([{ text: 'A dot.' }])
    try {
      const file = join(place.home, 'dot.png')
      writeFileSync(file, Buffer.from(png, 'base64'))
      const words = ['What is it?', '--image', file, '--base-url', server.baseUrl, '--model', 'fake', '--vision', 'on']
      const { exitCode, stdout } = await place.run(['run', ...words, '--quiet'])
      expect(stdout).toBe('A dot.\n')
      expect(exitCode).toBe(0)
      const url = { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }
      expect(server.requests[0]?.body.messages.at(-1)?.['content']).toContainEqual(url)
    } finally {
      await server.close()
    }
  })

  test('what cannot be shown is an error before anything is asked: exit 2', async () => {
    writeFileSync(join(place.home, 'dot.png'), Buffer.from(png, 'base64'))
    const asked = async (file: string): Promise<string> => {
      const { exitCode, stderr } = await run(['x', '--image', file], [{ text: 'x' }])
      expect(exitCode).toBe(2)
      return stderr
    }
    expect(await asked('gone.png')).toContain('there is no file')
    expect(await asked('a.txt')).toContain('is no PNG, JPEG, GIF or WebP picture')
    expect(await asked(join(place.home, 'dot.png'))).toContain('scripted reads text only')
  })
})

test('--append-system reaches the model', async () => {
  const { events } = await run(['Hi', '--append-system', 'Speak like a whale.'], [{ text: 'Uuuh.' }])
  const session = events.find(({ type }) => type === 'session')
  const id = session?.type === 'session' ? session.id : ''
  const log = readFileSync(join(place.home, 'own', 'state', 'sessions', `${id}.jsonl`), 'utf8')
  expect(log).toContain('Speak like a whale.')
})
