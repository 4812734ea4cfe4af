import { describe, expect, test } from 'vitest'
import { judgeByRules, type Rule } from '../../agent/policy/rules.ts'
import type { Effect } from '../../tools/index.ts'

const rule = (given: Omit<Rule, 'origin'>): Rule => ({ ...given, origin: 'config.toml:1' })
const run = (command: string): Effect[] => [{ kind: 'run', command }]
const deny = rule({ action: 'deny', command: 'git push' })
const judge = async (rules: readonly Rule[], effects: readonly Effect[], tool = 'shell') =>
  (await judgeByRules(rules, tool, effects)).kind

describe('a rule that denies a command finds it wherever it stands in the line', () => {
  test.each([
    'git push',
    'git push origin main --force',
    'cd a && git push',
    'true; git push',
    'false || git push &',
    'echo x | git push',
    '(git push)',
    '{ git push; }',
    'echo $(git push)',
    'echo `git push`',
    'echo "a $(git push) b"',
    'diff <(git push) x',
    'cat <<EOF\n$(git push)\nEOF',
    'if true; then git push; fi',
    'for i in 1 2; do git push; done',
    'f() { git push; }; f',
    'case x in x) git push;; esac',
    '! git push',
    'time git push',
    'git -C /x push',
    'git -c a=b --no-pager push',
    '/usr/bin/git push',
    `'g'it "push"`,
    'g\\it pu\\sh',
    'git \\\n push',
    'FOO=1 git push',
    'env FOO=1 git push',
    'sudo -u x git push',
    'timeout 5 git push',
    'echo main | xargs git push origin',
    'find . -exec git push \\;',
    'bash -c "git push"',
    `sh -lc 'cd x && git push'`,
    `env bash -c 'git push'`,
    'eval git push',
    `eval "git push"`,
    `bash -c "bash -c 'git push'"`,
    'git push > log 2>&1',
    '[[ -n $(git push) ]]',
    'x=$(git push)',
    'export X=$(git push)',
    'trap "git push" EXIT',
    'trap -- "git push" INT TERM',
    'shopt -s expand_aliases\nalias q="git push"\nq',
    'env -S "git push"',
    'env A=1 -S"git push"',
    'script -qc "git push" /dev/null',
    'su x --command="git push"',
    'flock x -c "git push"',
    'watch -n1 "git push"',
    'parallel "git push" ::: a',
    'ssh-agent git push',
    'setpriv --nnp git push',
    'git bisect run git push',
    'git submodule foreach --recursive git push',
    'git rebase -x "git push" main',
    'git rebase --exec="git push" main',
  ])('%s', async (line) => {
    expect(await judge([deny], run(line))).toBe('deny')
  })
})

describe('what cannot be told before it runs is asked for', () => {
  test.each([
    'git $X',
    '$X push',
    '"$@"',
    'git "pu$X"',
    'git pu*',
    '{git,push}',
    '~/git push',
    "$'git' push",
    'bash -c "$X"',
    'eval "$X"',
    'echo git push | bash',
    'bash <<< "git push"',
    'source ./x',
    '. ./x',
    'xargs sh',
    'echo push | xargs git',
    'echo push | sudo xargs -n 1 /usr/bin/git',
    'parallel git ::: push',
    'git -c alias.p=push p',
    'git -c "alias.p=!git push" p',
    'sudo git -c core.pager="git push" log',
    'git --config-env=alias.p=X p',
    'trap "$X" EXIT',
    'sudo -u x $CMD',
    'timeout 5 $CMD',
    'env A=1 "$@"',
    'find . -exec $CMD {} +',
    'git $(',
    'git push "',
    'if then',
    'git'.padEnd(30_000, ' x'),
  ])('%s', async (line) => {
    expect(await judge([deny], run(line))).toBe('ask')
  })
})

test('options of a rule are found in any order and place', async () => {
  const rules = (command: string) => [rule({ action: 'deny', command })]
  for (const [command, line, expected] of [
    ['rm -rf', 'rm -rf x', 'deny'],
    ['rm -rf', 'rm -fr x', 'deny'],
    ['rm -rf', 'rm -v x -r -f', 'deny'],
    ['rm -rf', 'sudo rm -r -f x', 'deny'],
    ['rm -rf', 'rm -r x', 'none'],
    ['rm -rf', 'rm -f $X', 'ask'],
    ['git push --force', 'git push origin main --force', 'deny'],
    ['git push --force', 'git push origin --force-with-lease', 'none'],
    ['git push --force', 'git push origin', 'none'],
  ] as const) {
    expect(await judge(rules(command), run(line)), line).toBe(expected)
  }
})

test('other commands are left to the mode, also where the words stand elsewhere', async () => {
  for (const line of [
    'git pull',
    'git log push',
    'echo git push',
    'grep "git push" README',
    'git status $X',
    'ls | xargs grep -n push',
    'trap - EXIT',
    'trap "rm x" EXIT',
    'alias ll="ls -l"',
    'git -c user.name=x -c color.ui=never log',
    'git submodule foreach git status',
    'watch -n 1 "ls push"',
    'ls *.c',
    'gitpush',
    'find "$DIR" -name x',
    'timeout 5 npm test $ARGS',
    'cat < push',
  ])
    expect(await judge([deny], run(line)), line).toBe('none')
})

describe('an allow covers every program of the line, or nothing', () => {
  const rules = [rule({ action: 'allow', command: 'npm test' }), rule({ action: 'allow', command: 'ls' })]
  test.each([
    ['npm test', 'allow'],
    ['npm test -- --watch $X', 'allow'],
    ['ls -l | ls; npm test && ls', 'allow'],
    ['npm test 2>&1 >/dev/null', 'allow'],
    ['npm test $(ls)', 'allow'],
    ['npm run build', 'none'],
    ['npm test; rm -rf .', 'none'],
    ['npm test $(rm x)', 'none'],
    ['npm test > file', 'none'],
    ['npm test >> .envrc', 'none'],
    ['PATH=. npm test', 'none'],
    ['npm() { rm x; }; npm test', 'none'],
    ['x=1', 'none'],
    ['./npm test', 'none'],
    ['npm $X', 'none'],
    ['sudo npm test', 'none'],
    ['bash -c "npm test"', 'none'],
    ['ls $(', 'none'],
    ['', 'none'],
  ])('%s: %s', async (line, verdict) => {
    expect(await judge(rules, run(line))).toBe(verdict)
  })
})

test('the strictest rule wins, in any order', async () => {
  const allow = rule({ action: 'allow', command: 'git' })
  const ask = rule({ action: 'ask', command: 'git commit' })
  for (const rules of [
    [allow, ask, deny],
    [deny, ask, allow],
  ]) {
    expect(await judge(rules, run('git status'))).toBe('allow')
    expect(await judge(rules, run('git commit -m x'))).toBe('ask')
    expect(await judge(rules, run('git push; git commit'))).toBe('deny')
  }
})

test('paths by glob, for changes unless reading is said', async () => {
  const rules = [
    rule({ action: 'deny', path: 'migrations/**' }),
    rule({ action: 'ask', path: '**/.env*', access: 'read' }),
    rule({ action: 'allow', path: 'docs/**' }),
  ]
  const write = (path: string): Effect[] => [{ kind: 'write', path }]
  const read = (path: string): Effect[] => [{ kind: 'read', path }]
  expect(await judge(rules, write('migrations/1.sql'), 'edit')).toBe('deny')
  expect(await judge(rules, write('migrations/.hidden/x'), 'edit')).toBe('deny')
  expect(await judge(rules, read('migrations/1.sql'), 'read')).toBe('none')
  expect(await judge(rules, read('a/.env.local'), 'read')).toBe('ask')
  expect(await judge(rules, write('docs/a.md'), 'edit')).toBe('allow')
  expect(await judge(rules, [...write('docs/a.md'), ...write('src/a.ts')], 'edit')).toBe('none')
  expect(await judge(rules, [...write('docs/a.md'), ...write('migrations/x')], 'edit')).toBe('deny')
})

test('by tool; and an allow never opens more than the sandbox gives', async () => {
  expect(await judge([rule({ action: 'deny', tool: 'git' })], run('git log'), 'git')).toBe('deny')
  expect(await judge([rule({ action: 'deny', tool: 'git' })], run('git log'), 'shell')).toBe('none')
  expect(await judge([rule({ action: 'deny', tool: 'shell' })], [], 'shell')).toBe('deny')
  const allow = [rule({ action: 'allow', tool: 'shell' })]
  expect(await judge(allow, run('x'))).toBe('allow')
  expect(await judge(allow, [...run('x'), { kind: 'open-host', host: 'a.org' }])).toBe('none')
  expect(await judge(allow, [...run('x'), { kind: 'open-write', path: '/opt' }])).toBe('none')
})

test('the reason names the rule, where it stands, and what its author says', async () => {
  const verdict = await judgeByRules([{ ...deny, reason: 'releases are made by hand' }], 'shell', run('git push'))
  expect(verdict.reason).toBe('a rule (config.toml:1) forbids "git push": releases are made by hand.')
})

test('hostile lines are read in no time, or asked for', async () => {
  const deep = (open: string, close: string, depth = 2000) => `${open.repeat(depth)}git push${close.repeat(depth)}`
  const lines = [
    deep('$(', ')'),
    deep('(', ')'),
    deep('{ ', ';}'),
    deep('"$(', ')"'),
    'xargs '.repeat(3000),
    'bash -c '.repeat(2000),
    '${a:-'.repeat(3000),
    '<<A '.repeat(4000),
    '`'.repeat(9999),
    '[['.repeat(9000),
    '((('.repeat(6000),
    `case x in ${'a) ;; '.repeat(3000)} esac`,
    '\u0000\ud800\u202e git push',
  ]
  for (const line of lines) {
    const began = performance.now()
    const verdict = await judge([deny], run(line))
    expect(['ask', 'deny', 'none'], line.slice(0, 20)).toContain(verdict)
    expect(performance.now() - began, line.slice(0, 20)).toBeLessThan(4000)
  }
  for (const line of lines.slice(0, 4))
    expect(['ask', 'deny'], line.slice(0, 20)).toContain(await judge([deny], run(line)))
})
