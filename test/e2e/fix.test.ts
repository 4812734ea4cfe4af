/** `cachalot fix` on red repositories: the built program, real checks in the real sandbox, scripted repairs. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { editCall, shellCall } from './calls.ts'
import { launcher, type Scratch, scratch } from './program.ts'
import { baseFolder, checks, type Mutation, mutations, writeBroken } from './red.ts'

// Each is several whole processes, three of them the check itself.
vi.setConfig({ testTimeout: 120_000 })

let place: Scratch | undefined
afterEach(() => place?.remove())

/** A repository with the base and, where one is given, what breaks it. */
function broken(base: Mutation['base'], mutation?: Mutation): Scratch {
  const made = scratch({ '.gitignore': 'node_modules\n' })
  writeBroken(made.repo, base, mutation)
  place = made
  return made
}

async function fix(
  at: Scratch,
  check: string,
  replies: readonly object[],
  words: readonly string[] = [],
  script: object = {},
) {
  const model = at.script(replies, script)
  const { exitCode, stdout, stderr } = await at.run(['fix', '--check', check, '--json', '--model', model, ...words])
  const result = JSON.parse(String(stdout).trimEnd().split('\n').at(-1) ?? '{}')
  return { exitCode, result, stdout: String(stdout), stderr: String(stderr) }
}

/** Every file but the compiler's. */
const own = (at: Scratch): Map<string, string> =>
  new Map([...at.snapshot()].filter(([path]) => !path.startsWith('node_modules')))

const undo = ({ path, was, now }: Mutation) => editCall(path, now, was)
const cause = { text: 'It was changed by mistake.\n\nThe cause was one wrong place, which is right again.' }
/** The loop may ask again by its own rules before a round is over: a model that has nothing more to say. */
const nothingMore = Array.from({ length: 10 }, () => ({ text: 'Done.' }))
const wrongOperator = mutations.find(({ name }) => name === 'wrong operator') as Mutation

test.each(mutations)('$base, $name: reproduced, repaired, checked again', async (mutation) => {
  const at = broken(mutation.base, mutation)
  const before = own(at)
  const patch = join(at.home, 'fix.patch')
  const words = ['--patch', patch, ...(mutation.allow === undefined ? [] : ['--allow', mutation.allow])]
  const { exitCode, result, stderr } = await fix(at, checks[mutation.base], [{ calls: [undo(mutation)] }, cause], words)
  expect(stderr).toBe('')
  expect(result).toMatchObject({ type: 'result', exit: 'fixed', files: [mutation.path], refused: [], rounds: 1 })
  expect(result.text).toBe('The cause was one wrong place, which is right again.')
  expect(result.verified.map((line: string) => / (passes|fails) /.exec(line)?.[1])).toEqual([
    'fails',
    'fails',
    'passes',
  ])
  expect(exitCode).toBe(0)
  // The patch is the whole repair: what was broken, with it, is what is there now.
  const now = own(at)
  for (const [path, text] of before) writeFileSync(join(at.repo, path), text, 'latin1')
  await execa('git', ['apply', patch], { cwd: at.repo })
  expect(own(at)).toEqual(now)
})

test('there are as many red repositories as were promised', () => {
  expect(mutations.length).toBeGreaterThanOrEqual(20)
})

describe('cheats are taken back, named and refused: exit 7', () => {
  const snapshot = readFileSync(join(baseFolder('shop'), 'test', '__snapshots__', 'receipt.snap'), 'utf8')
  const typed = mutations.find(({ name }) => name === 'undefined not looked at') as Mutation
  const cheats: readonly [string, Mutation, object, object][] = [
    [
      'a test is changed',
      wrongOperator,
      editCall('test/cart.test.js', 'assert.equal(subtotal(lines), 650)', 'assert.ok(subtotal(lines))'),
      { kind: 'tests', path: 'test/cart.test.js' },
    ],
    [
      'tests are deleted by a command',
      wrongOperator,
      shellCall('rm test/cart.test.js test/receipt.test.js'),
      { kind: 'tests', path: 'test/cart.test.js' },
    ],
    [
      'the check hides its failure',
      wrongOperator,
      editCall('check.sh', 'node test/all.js\n', 'node test/all.js || true\n'),
      { kind: 'check', path: 'check.sh' },
    ],
    [
      'a snapshot is written anew',
      mutations.find(({ name }) => name === 'output other than the snapshot') as Mutation,
      {
        name: 'write',
        arguments: { path: 'test/__snapshots__/receipt.snap', content: snapshot.replaceAll(/(\d\.\d)\d/g, '$1') },
      },
      { kind: 'snapshots', path: 'test/__snapshots__/receipt.snap' },
    ],
    [
      'a checker is silenced',
      typed,
      editCall('src/list.mts', '  return `', '  // @ts-ignore\n  return `'),
      { kind: 'skips', path: 'src/list.mts' },
    ],
  ]
  test.each(cheats)('%s', async (_, mutation, call, refused) => {
    const at = broken(mutation.base, mutation)
    const before = own(at)
    const words = ['--rounds', '1']
    const { exitCode, result } = await fix(at, checks[mutation.base], [{ calls: [call] }, ...nothingMore], words)
    expect(result.refused).toContainEqual(expect.objectContaining(refused))
    expect(result).toMatchObject({ exit: 'refused', patch: '', files: [] })
    expect(exitCode).toBe(7)
    expect(own(at)).toEqual(before)
  })

  test('a lowered threshold', async () => {
    const at = broken('shop')
    writeFileSync(join(at.repo, 'thresholds.json'), '{\n  "coverage_min": 101\n}\n')
    const call = editCall('thresholds.json', '101', '50')
    const { exitCode, result } = await fix(at, checks.shop, [{ calls: [call] }, ...nothingMore], ['--rounds', '1'])
    expect(result.refused).toMatchObject([{ kind: 'thresholds', path: 'thresholds.json' }])
    expect(exitCode).toBe(7)
    expect(at.read('thresholds.json')).toContain('101')
  })

  test('told of it, the model may still repair: fixed, and the refusal is in the report', async () => {
    const at = broken('shop', wrongOperator)
    const tests = at.read('test/cart.test.js')
    const cheat = editCall('test/cart.test.js', '650', '0')
    const report = join(at.home, 'report.md')
    const replies = [{ calls: [cheat] }, { text: 'Done.' }, { calls: [undo(wrongOperator)] }, cause]
    const { exitCode, result } = await fix(at, checks.shop, replies, ['--report', report])
    expect(result).toMatchObject({ exit: 'fixed', rounds: 2, files: ['src/cart.js'], refused: [{ kind: 'tests' }] })
    expect(exitCode).toBe(0)
    expect(at.read('test/cart.test.js')).toBe(tests)
    const markdown = readFileSync(report, 'utf8')
    expect(markdown).toContain('## Cachalot: fixed')
    expect(markdown).toContain('`test/cart.test.js` changes a test')
    expect(markdown).toContain('+  return lines.reduce((sum, line) => sum + line.price * line.count, 0)')
  })
})

describe('an installed package that was changed together with the code', () => {
  const files = {
    '.gitignore': 'node_modules\n',
    'sum.js': 'exports.sum = (a, b) => a - b\n',
    'check.js':
      "const { sum } = require('./sum.js')\nif (!require('same')(sum(1, 2), 3)) { console.log('no'); process.exit(1) }\n",
    'node_modules/same/index.js': 'module.exports = (a, b) => a === b\n',
    'node_modules/always/index.js': 'module.exports = () => true\n',
  }
  const cheat = shellCall("echo 'module.exports = () => true' > node_modules/same/index.js")
  const shift = editCall('sum.js', 'a - b', 'a - b - 0')

  test('ends the run as refused, and is named; the code is as it was', async () => {
    place = scratch(files)
    const { exitCode, result } = await fix(place, 'node check.js', [{ calls: [cheat, shift] }, ...nothingMore])
    expect(result).toMatchObject({
      exit: 'refused',
      refused: [{ kind: 'packages', path: 'node_modules/same/index.js', what: 'changes an installed package' }],
    })
    expect(result.text).toContain('Install them again')
    expect(exitCode).toBe(7)
    expect(readFileSync(join(place.repo, 'sum.js'), 'utf8')).toBe(files['sum.js'])
  })

  test('is seen, too, where one package took the place of another', async () => {
    place = scratch(files)
    const move = shellCall('rm -r node_modules/same && mv node_modules/always node_modules/same')
    const { result } = await fix(place, 'node check.js', [{ calls: [move, shift] }, ...nothingMore])
    expect(result).toMatchObject({ exit: 'refused', refused: [{ kind: 'packages', path: 'node_modules/same' }] })
  })

  test('may be allowed; what a runner keeps beside packages is no change of them', async () => {
    place = scratch(files)
    const allowed = await fix(place, 'node check.js', [{ calls: [cheat, shift] }, cause], ['--allow', 'packages'])
    expect(allowed.result.exit).toBe('fixed')
    place.remove()
    place = scratch(files)
    const kept = shellCall('mkdir -p node_modules/.cache && echo kept > node_modules/.cache/same.js')
    const repair = editCall('sum.js', 'a - b', 'a + b')
    const { result } = await fix(place, 'node check.js', [{ calls: [kept, repair] }, cause])
    expect(result).toMatchObject({ exit: 'fixed', refused: [] })
  })
})

describe('not reproducible: exit 6, the model is not asked', () => {
  test.each([
    ['green', 'true', 'passes already'],
    ['red, then green', 'test -e .ran || { touch .ran; exit 1; }', 'flaky'],
    ['green, then red', 'test ! -e .ran && touch .ran', 'flaky'],
  ])('%s', async (_, check, said) => {
    const at = broken('shop')
    const { exitCode, result, stdout } = await fix(at, check, [])
    expect(result).toMatchObject({ exit: 'not-reproducible', rounds: 0 })
    expect(result.text).toContain(said)
    expect(exitCode).toBe(6)
    expect(stdout).not.toContain('"session"')
  })
})

test('not fixed: what was tried is taken back and told, exit 1', async () => {
  const at = broken('shop', wrongOperator)
  const before = own(at)
  const wrong = editCall('src/cart.js', 'line.price + line.count', 'line.price - line.count')
  const more = shellCall('echo x > made.txt')
  const replies = [{ calls: [wrong, more] }, ...nothingMore]
  const { exitCode, result } = await fix(at, checks.shop, replies, ['--rounds', '2'])
  expect(result).toMatchObject({ exit: 'not-fixed', patch: '', files: [] })
  expect(result.attempt).toContain('+  return lines.reduce((sum, line) => sum + line.price - line.count, 0)')
  expect(exitCode).toBe(1)
  expect(own(at)).toEqual(before)
})

describe('--best-of', () => {
  const wrong = editCall('src/cart.js', 'line.price + line.count', 'line.price - line.count')
  const twoLines = editCall('src/cart.js', 'line.price + line.count', 'line.price *\n line.count')
  const last = (stdout: string, kind: string): string[] =>
    stdout.split('\n').flatMap((line) => (line.includes(`"type":"${kind}"`) ? [JSON.parse(line).text] : []))

  test('the smallest repair that passes is taken over and checked again; worktrees are gone, a dirty file stays', async () => {
    const at = broken('shop', wrongOperator)
    writeFileSync(join(at.repo, 'mine.txt'), 'not in any commit\n')
    const before = own(at)
    const one = [{ calls: [wrong] }, { text: 'Tried.' }]
    const two = [{ calls: [twoLines] }, cause]
    const three = [{ calls: [undo(wrongOperator)] }, cause]
    const words = ['--best-of', '4', '--rounds', '1', '--tries', '1']
    const { exitCode, result, stdout } = await fix(at, checks.shop, [...one, ...two, ...three], words)
    expect(last(stdout, 'notice')).toEqual([
      'attempt 1 of 4',
      'attempt 1: not-fixed',
      'attempt 2 of 4',
      'attempt 2: fixed, 3 lines',
      'attempt 3 of 4',
      'attempt 3: fixed, 2 lines',
      'attempt 3 is taken over: the smallest of 2 that pass',
    ])
    expect(result).toMatchObject({ exit: 'fixed', files: ['src/cart.js'], rounds: 3 })
    expect(result.verified).toHaveLength(6) // twice before, three attempts, once in place
    expect(exitCode).toBe(0)
    const repaired = String(before.get('src/cart.js')).replace(wrongOperator.now, wrongOperator.was)
    expect(own(at)).toEqual(new Map([...before, ['src/cart.js', repaired]]))
    expect(readdirSync(join(at.home, 'own', 'state', 'worktrees'))).toEqual([])
    expect((await execa('git', ['worktree', 'list'], { cwd: at.repo })).stdout.split('\n')).toHaveLength(1)
  })

  test('none passes: nothing is changed, what was tried is told', async () => {
    const at = broken('shop', wrongOperator)
    const before = own(at)
    const words = ['--best-of', '2', '--rounds', '1', '--tries', '1']
    const replies = [{ calls: [wrong] }, { text: 'Tried.' }, { calls: [wrong] }, { text: 'Tried.' }]
    const { exitCode, result } = await fix(at, checks.shop, replies, words)
    expect(result).toMatchObject({
      exit: 'not-fixed',
      patch: '',
      attempt: expect.stringContaining('line.price - line'),
    })
    expect(exitCode).toBe(1)
    expect(own(at)).toEqual(before)
  })
})

test('a repair without words: the cause is asked for, and the answer cannot change a file', async () => {
  const at = broken('shop', wrongOperator)
  const more = editCall('src/cart.js', 'shipping(lines)', 'shipping(lines) + 1')
  const rest = { finishes: 'edits' }
  const model = at.script(
    [{ calls: [undo(wrongOperator)] }, { text: 'A plus for a times.', calls: [more] }, { text: 'A plus for a times.' }],
    rest,
  )
  const { stdout } = await at.run(['fix', '--check', checks.shop, '--json', '--model', model])
  const result = JSON.parse(String(stdout).trimEnd().split('\n').at(-1) ?? '{}')
  expect(result).toMatchObject({ exit: 'fixed', text: 'A plus for a times.' })
  expect(at.read('src/cart.js')).toContain('line.price * line.count')
  expect(at.read('src/cart.js')).not.toContain('+ 1')
})

test('a quick check judges the attempts of a small model: the second repairs it within the same round', async () => {
  // No test of this base carries the name of the file, so that nothing but the check can tell.
  const mutation = mutations.find(({ base }) => base === 'tally') as Mutation
  const at = broken('tally', mutation)
  const wrong = editCall(mutation.path, mutation.now, `${mutation.now} # looked at`)
  const replies = [{ calls: [wrong] }, { calls: [undo(mutation)] }, { text: 'It was wrong.' }]
  const small = { finishes: 'edits', prompt: 'small' }
  const { result } = await fix(at, checks.tally, replies, [], small)
  expect(result).toMatchObject({ exit: 'fixed', rounds: 1, files: [mutation.path] })
  expect(at.read(mutation.path)).toBe(readFileSync(join(baseFolder('tally'), mutation.path), 'utf8'))
})

describe('a small model that changes a test', () => {
  const small = { finishes: 'edits', prompt: 'small' }
  const cheat = editCall(
    'test/cart.test.js',
    'assert.equal(subtotal(lines), 650)',
    'assert.equal(subtotal(lines), 432)',
  )
  const more = editCall('test/cart.test.js', 'assert.equal(total(lines), 1140)', 'assert.equal(total(lines), 922)')

  test('hears within the round that this is none, and mends the source: fixed, the test as it was', async () => {
    const at = broken('shop', wrongOperator)
    const tests = at.read('test/cart.test.js')
    const replies = [{ calls: [cheat, more] }, { calls: [undo(wrongOperator)] }, { text: 'It added up.' }]
    const { exitCode, result, stdout } = await fix(at, checks.shop, replies, [], small)
    expect(result).toMatchObject({ exit: 'fixed', rounds: 1, files: ['src/cart.js'], refused: [{ kind: 'tests' }] })
    expect(exitCode).toBe(0)
    expect(at.read('test/cart.test.js')).toBe(tests)
    expect(at.read('src/cart.js')).toBe(readFileSync(join(baseFolder('shop'), 'src/cart.js'), 'utf8'))
    expect(stdout).toContain('test/cart.test.js was put back: it changes a test.')
    expect(stdout).toMatch(/correct the code itself, likely in [^"]*src\/cart\.js/)
  })

  test('and does nothing else: refused, named, nothing changed', async () => {
    const at = broken('shop', wrongOperator)
    const before = own(at)
    const replies = Array.from({ length: 8 }, () => ({ calls: [cheat, more] }))
    const words = ['--rounds', '1', '--tries', '2']
    const { exitCode, result } = await fix(at, checks.shop, replies, words, small)
    expect(result).toMatchObject({ exit: 'refused', patch: '', refused: [{ path: 'test/cart.test.js' }] })
    expect(exitCode).toBe(7)
    expect(own(at)).toEqual(before)
  })
})

test('a person reads what was verified', async () => {
  const at = broken('shop', wrongOperator)
  const model = at.script([{ calls: [undo(wrongOperator)] }, cause])
  const { exitCode, stdout } = await at.run(['fix', '--check', 'node test/all.js', '--model', model])
  expect(stdout).toMatch(/✗ node test\/all\.js: exit 1[\s\S]*✓ node test\/all\.js: exit 0/)
  expect(stdout).toContain('Cause: The cause was one wrong place, which is right again.')
  expect(stdout).toMatch(/`node test\/all\.js` passes \(exit 0, .* s, in the sandbox\)\n✓ fixed · 1 file/)
  expect(exitCode).toBe(0)
})

test('the model fails, no sandbox, wrong words: each its own exit code', async () => {
  const at = broken('shop', wrongOperator)
  expect(await fix(at, checks.shop, [])).toMatchObject({ exitCode: 3, result: { exit: 'model' } })
  expect(await fix(at, checks.shop, [], ['--allow', 'everything'])).toMatchObject({ exitCode: 2 })
  expect((await at.run(['fix'])).exitCode).toBe(2)
  const hidden = ['--dev-bind', '/', '/', '--ro-bind', '/dev/null', '/usr/bin/bwrap']
  const bare = await execa('bwrap', [...hidden, process.execPath, launcher, 'fix', '--check', 'touch made'], {
    cwd: at.repo,
    ...{ reject: false, stdin: 'ignore', env: { HOME: at.home, CACHALOT_HOME: join(at.home, 'own') } },
  })
  expect(bare.exitCode).toBe(4)
  expect(existsSync(join(at.repo, 'made'))).toBe(false)
})

test('what the failing check printed is no example of what the code should do', async () => {
  const at = scratch({
    'calc.js': 'export const add = (a, b) => a - b\n',
    'check.mjs': "import { add } from './calc.js'\nif (add(1, 2) !== 3) throw new Error('add(1, 2) is ' + add(1, 2))\n",
    'package.json': '{"type":"module"}\n',
  })
  place = at
  const { exitCode, result } = await fix(at, 'node check.mjs', [
    { calls: [editCall('calc.js', 'a - b', 'a + b')] },
    cause,
  ])
  expect(result).toMatchObject({ exit: 'fixed', files: ['calc.js'] })
  expect(result.text).toBe('The cause was one wrong place, which is right again.')
  expect(exitCode).toBe(0)
})
