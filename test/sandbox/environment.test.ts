import { expect, test } from 'vitest'
import { commandEnvironment } from '../../sandbox/environment.ts'

const base = { pass: [], temporary: '/tmp', sandbox: 'bwrap' }
const names = (from: Record<string, string>, pass: string[] = []): string[] =>
  Object.keys(commandEnvironment({ ...base, from, pass }).variables)

test('an unknown variable stays out, whatever its name', () => {
  const from = { PATH: '/usr/bin', FOO: '1', OPENAI_API_KEY: 'x', LD_PRELOAD: '/evil.so', NODE_OPTIONS: '-r x' }
  const more = {
    GIT_DIR: '/x',
    BASH_ENV: '/x',
    ENV: '/x',
    SSH_AUTH_SOCK: '/x',
    DBUS_SESSION_BUS_ADDRESS: 'x',
    DISPLAY: ':0',
  }
  const given = names({ ...from, ...more, PROMPT_COMMAND: 'x', PYTHONSTARTUP: 'x' })
  expect(given.sort()).toEqual(
    [
      'DEBIAN_FRONTEND',
      'GOCACHE',
      'GIT_OPTIONAL_LOCKS',
      'GIT_PAGER',
      'GIT_TERMINAL_PROMPT',
      'PAGER',
      'PATH',
      'SANDBOX',
      'TMPDIR',
    ].sort(),
  )
})

test('go keeps what it built where the box can be written, and is left alone outside of it', () => {
  expect(commandEnvironment({ ...base, from: {} }).variables['GOCACHE']).toBe('/tmp/go-build')
  expect(commandEnvironment({ ...base, from: {}, pass: ['GOCACHE'] }).variables['GOCACHE']).toBe('/tmp/go-build')
  const given = commandEnvironment({ ...base, from: { GOCACHE: '/srv/go' }, pass: ['GOCACHE'] })
  expect(given.variables['GOCACHE']).toBe('/srv/go')
  expect(commandEnvironment({ ...base, from: {}, dropPathsIn: [] }).variables['GOCACHE']).toBeUndefined()
})

test('the allow-list passes, with all of LC_*', () => {
  const from = { HOME: '/home/u', LANG: 'C.UTF-8', LC_TIME: 'de', TERM: 'xterm', CARGO_HOME: '/c' }
  expect(commandEnvironment({ ...base, from }).variables).toMatchObject(from)
})

test('what the user asked for passes, even a token; our own settings never do', () => {
  const from = { DATABASE_URL: 'postgres://u:secret@db/x', CACHALOT_API_KEY: 'k' }
  const { variables } = commandEnvironment({ ...base, from, pass: ['DATABASE_URL', 'CACHALOT_API_KEY'] })
  expect(variables['DATABASE_URL']).toBe(from.DATABASE_URL)
  expect(variables).not.toHaveProperty('CACHALOT_API_KEY')
})

test.each([
  'sk-proj-abcdefghijklmnopqrstuv',
  'ghp_abcdefghijklmnopqrstuvwxyz0123456789',
  'AKIAIOSFODNN7EXAMPLE',
  'xoxb-123456789012-abcdef',
  'https://user:hunter2@proxy.example/',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc',
  '-----BEGIN OPENSSH PRIVATE KEY-----',
])('a value shaped like a credential is withheld and named: %s', (value) => {
  const { variables, withheld } = commandEnvironment({ ...base, from: { GOPROXY: value, LANG: 'C' } })
  expect(variables).not.toHaveProperty('GOPROXY')
  expect(withheld).toEqual(['GOPROXY'])
})

test('PATH keeps absolute entries only, and outside the box none in the work tree', () => {
  const from = { PATH: '.::bin:/usr/bin:/w/.venv/bin:/bin' }
  expect(commandEnvironment({ ...base, from }).variables['PATH']).toBe('/usr/bin:/w/.venv/bin:/bin')
  expect(commandEnvironment({ ...base, from, dropPathsIn: ['/w'] }).variables['PATH']).toBe('/usr/bin:/bin')
  expect(commandEnvironment({ ...base, from: { PATH: '.' } }).variables['PATH']).toBe('/usr/local/bin:/usr/bin:/bin')
})
