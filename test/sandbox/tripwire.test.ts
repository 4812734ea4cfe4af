import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { armTripwire, type Finding, openSandbox, type Tripwire } from '../../sandbox/index.ts'
import { makePlace, policyFor, startAgent, users } from './support/agent.ts'

let base: string
let root: string
beforeEach(() => {
  base = realpathSync(mkdtempSync(path.join(tmpdir(), 'tripwire-')))
  root = path.join(base, 'root')
  mkdirSync(path.join(root, 'src'), { recursive: true })
  mkdirSync(path.join(base, 'outside'))
  git('init', '-q')
  writeFileSync(path.join(root, 'AGENTS.md'), 'mine\n')
})
afterEach(() => rmSync(base, { recursive: true, force: true }))

const git = (...args: string[]): void => void execFileSync('git', args, { cwd: root })
const put = (file: string, content = 'x'): void => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  writeFileSync(path.join(root, file), content)
}
const found = (findings: readonly Finding[]): [string, string][] =>
  findings.map(({ kind, path: file }): [string, string] => [kind, path.relative(root, file)]).sort()

/** What is found after `act`, with all that can be looked at. */
async function watch(act: () => void, metadata = true): Promise<{ findings: readonly Finding[]; wire: Tripwire }> {
  const wire = await armTripwire([root], { metadata })
  act()
  return { findings: await wire.check(), wire }
}

describe('the tripwire', () => {
  test('is silent about ordinary work', async () => {
    const { findings } = await watch(() => {
      put('src/new/file.ts')
      symlinkSync('file.ts', path.join(root, 'src/new/link'))
      symlinkSync('/usr/bin/env', path.join(root, 'src/python'))
      put('node_modules/x/.git/config')
      git('add', '-A', 'src')
      git('-c', 'user.name=n', '-c', 'user.email=e', 'commit', '-q', '-m', 'x')
    })
    expect(findings).toEqual([])
  })

  test.each([
    ['a new nested repository', 'nested-repository', 'fresh/.git', () => put('fresh/.git/config')],
    ['a pointer file', 'nested-repository', 'src/.git', () => put('src/.git', 'gitdir: ../evil')],
    [
      'a folder laid out as a bare repository',
      'bare-repository',
      'src/bare',
      () => ['HEAD', 'objects/x', 'refs/x'].forEach((name) => void put(`src/bare/${name}`)),
    ],
    ['editor tasks', 'obeyed-name', '.vscode', () => put('.vscode/tasks.json')],
    ['a changed AGENTS.md', 'obeyed-name', 'AGENTS.md', () => appendFileSync(path.join(root, 'AGENTS.md'), 'evil')],
    ['a link out', 'link-out', 'src/out', () => symlinkSync('../../outside', path.join(root, 'src/out'))],
    ['a dangling link out', 'link-out', 'out', () => symlinkSync('/home/nobody/.ssh', path.join(root, 'out'))],
    ['a changed git config', 'git-data', '.git/config', () => git('config', 'core.fsmonitor', 'evil')],
    ['commondir', 'git-data', '.git/commondir', () => put('.git/commondir', '../evil')],
    [
      'a pipe by the name of an ignore file',
      'pipe',
      'src/.gitignore',
      () => execFileSync('mkfifo', [path.join(root, 'src/.gitignore')]),
    ],
    ['a hook', 'git-data', '.git/hooks/pre-commit', () => put('.git/hooks/pre-commit')],
    [
      'a set-uid file',
      'set-id',
      'src/suid',
      () => {
        put('src/suid')
        chmodSync(path.join(root, 'src/suid'), 0o4755)
      },
    ],
  ] as const)('reports %s, once', async (_, kind, file, act) => {
    const { findings } = await watch(() => void act())
    expect(found(findings)).toEqual([[kind, file]])
    expect(findings[0]?.message).toContain(JSON.stringify(path.join(root, file)))
    expect((await watch(() => undefined)).findings).toEqual([])
  })

  test('takes back what makes git run programs and what gives rights, and leaves what may be meant', async () => {
    const config = readFileSync(path.join(root, '.git/config'), 'utf8')
    chmodSync(path.join(root, '.git/config'), 0o640)
    const { findings, wire } = await watch(() => {
      git('config', 'core.fsmonitor', 'evil')
      put('.git/commondir', '../evil')
      put('.git/hooks/pre-commit')
      put('fresh/.git/config')
      put('src/suid', 'kept')
      chmodSync(path.join(root, 'src/suid'), 0o6755)
    })
    expect(findings).toHaveLength(5)
    const settled = new Map<string, Finding>()
    for (const finding of findings) settled.set(path.relative(root, finding.path), await wire.revert(finding))
    expect(settled.get('.git/config')).toMatchObject({
      reverted: true,
      message: expect.stringMatching(/; it was put back$/),
    })
    expect(settled.get('.git/commondir')).toMatchObject({
      reverted: true,
      message: expect.stringMatching(/; it was removed$/),
    })
    expect(settled.get('fresh/.git')?.reverted).toBeUndefined()
    expect(readFileSync(path.join(root, '.git/config'), 'utf8')).toBe(config)
    expect(statSync(path.join(root, '.git/config')).mode & 0o7777).toBe(0o640)
    expect(existsSync(path.join(root, '.git/commondir'))).toBe(false)
    expect(existsSync(path.join(root, '.git/hooks/pre-commit'))).toBe(false)
    expect(statSync(path.join(root, 'src/suid')).mode & 0o7777).toBe(0o755)
    expect(readFileSync(path.join(root, 'src/suid'), 'utf8')).toBe('kept')
    expect(existsSync(path.join(root, 'fresh/.git'))).toBe(true)
    expect(found(await wire.check())).toEqual([['nested-repository', 'fresh/.git']])
  })

  test('is not led elsewhere by a link that was laid in the place of what it puts back', async () => {
    const outside = path.join(base, 'outside/victim')
    writeFileSync(outside, 'theirs')
    const { findings, wire } = await watch(() => {
      rmSync(path.join(root, '.git/config'))
      symlinkSync(outside, path.join(root, '.git/config'))
    })
    expect(found(findings)).toEqual([['git-data', '.git/config']])
    expect(await wire.revert(findings[0]!)).toMatchObject({ reverted: true })
    expect(readFileSync(outside, 'utf8')).toBe('theirs')
    expect(lstatSync(path.join(root, '.git/config')).isFile()).toBe(true)
    // A folder on the way that became a link: nothing is written through it.
    mkdirSync(path.join(base, 'outside/hooks'))
    const again = await armTripwire([root], { metadata: true })
    put('.git/hooks/pre-push', 'evil')
    const seen = await again.check()
    rmSync(path.join(root, '.git/hooks'), { recursive: true })
    writeFileSync(path.join(base, 'outside/hooks/pre-push'), 'theirs')
    symlinkSync(path.join(base, 'outside/hooks'), path.join(root, '.git/hooks'))
    expect((await again.revert(seen[0]!)).reverted).toBeUndefined()
    expect(existsSync(path.join(base, 'outside/hooks/pre-push'))).toBe(true)
  })

  test('names with newlines stay one line', async () => {
    const { findings } = await watch(() => put('a\nb/.git/config'))
    expect(findings[0]?.message).not.toContain('\n')
  })

  test('looks at 600 folders without holding the event loop', { timeout: 90_000 }, async () => {
    for (let folder = 0; folder < 600; folder++) put(`d${folder % 20}/e${folder}/file`)
    const held: number[] = []
    // The best of three: what a busy machine takes away is not what is measured.
    for (let attempt = 0; attempt < 3; attempt++) {
      let longest = 0
      let last = performance.now()
      const timer = setInterval(() => {
        longest = Math.max(longest, performance.now() - last)
        last = performance.now()
      }, 1)
      await armTripwire([root], { metadata: false })
      longest = Math.max(longest, performance.now() - last)
      clearInterval(timer)
      held.push(longest)
    }
    expect(Math.min(...held)).toBeLessThan(50)
  })
})

test('a command that leaves such a thing says so in its result: in the box', async () => {
  const place = makePlace(users[0]!)
  const agent = await startAgent({ user: users[0]!, home: place.home, roots: [place.work] })
  if (agent !== undefined) {
    const line = 'git init -q fresh; mkdir .vscode; echo x >.vscode/tasks.json; echo done'
    const result = await agent.run(line, { policy: policyFor(place.work) })
    expect(found(result.findings ?? []).map(([kind]) => kind)).toEqual(['nested-repository', 'obeyed-name'])
    expect(result.hint).toMatch(/^\[sandbox: .*a new git repository at ".*fresh\/.git".*\]$/)
    await agent.stop()
  }
  place.remove()
})

test('and in a container that is the boundary, where git config is not held', async () => {
  const sandbox = await openSandbox({ backend: 'external', env: { ...process.env, HOME: base } })
  const options = {
    policy: policyFor(root),
    limits: { seconds: 5, outputBytes: 1000 },
    signal: new AbortController().signal,
  }
  const before = readFileSync(path.join(root, '.git/config'), 'utf8')
  const result = await sandbox.run(
    { line: 'git config core.fsmonitor evil; cp AGENTS.md s; chmod u+s s; mkfifo .ignore other', cwd: root },
    options,
  )
  expect(found(result.findings ?? [])).toEqual([
    ['git-data', '.git/config'],
    ['pipe', '.ignore'],
    ['set-id', 's'],
  ])
  // A pipe by another name is nobody's business.
  expect([existsSync(path.join(root, '.ignore')), existsSync(path.join(root, 'other'))]).toEqual([false, true])
  expect(result.hint).toMatch(/changed: ".*config", which can make git run programs; it was put back/)
  expect(readFileSync(path.join(root, '.git/config'), 'utf8')).toBe(before)
  expect(statSync(path.join(root, 's')).mode & 0o7000).toBe(0)
})
