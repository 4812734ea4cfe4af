import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ResolvedConfig, resolveConfig } from '../../src/config/resolve.ts'
import { resolvePaths } from '../../src/paths.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cachalot-config-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

function resolve(given: {
  user?: string
  repository?: string
  environment?: Record<string, string>
  flags?: Record<string, unknown>
}): ResolvedConfig {
  const environment = { CACHALOT_HOME: home, ...given.environment }
  const paths = resolvePaths(environment)
  const cwd = join(home, 'repo')
  for (const [file, text] of [
    [join(paths.config, 'config.toml'), given.user],
    [join(cwd, '.cachalot', 'config.toml'), given.repository],
  ] as const) {
    rmSync(file, { force: true })
    if (text === undefined) continue
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return resolveConfig({ cwd, paths, environment, flags: given.flags ?? {} })
}

test('defaults hold where nothing is set', () => {
  const { config, origins, warnings } = resolve({})
  expect(config.sandbox).toBe('workspace-write')
  expect(config.network).toBe('off')
  expect(config.model).toBeUndefined()
  expect(origins.sandbox).toBe('default')
  expect(warnings).toEqual([])
})

test('later places win, and each value knows where it comes from', () => {
  const given = {
    user: 'model = "a"\n[limits]\nsteps = 3\ntokens = 100\nseconds = 5\n',
    repository: '[limits]\ntokens = 200\nseconds = 6\n[sampling]\nseed = 9\n',
    environment: { CACHALOT_MAX_SECONDS: '7.5', CACHALOT_MODEL: 'b' },
    flags: { model: 'c' },
  }
  const { config, origins } = resolve(given)
  expect(config).toMatchObject({ model: 'c', maxSteps: 3, maxTokens: 200, maxSeconds: 7.5, seed: 9 })
  expect(origins.model).toBe('--model')
  expect(origins.maxSeconds).toBe('CACHALOT_MAX_SECONDS')
  expect(origins.maxTokens).toBe(`${home}/repo/.cachalot/config.toml:2`)
  expect(origins.maxSteps).toBe(`${home}/config/config.toml:3`)
})

const rule = (rest: string) => `[[rules]]\n${rest}\n`

test('rules of all places count together, each with its place; a repository can only make it stricter', () => {
  const { config, warnings, origins } = resolve({
    user: `model = "a"\n\n${rule('action = "allow"\ncommand = "npm test"')}${rule('action = "ask"\ntool = "git"')}`,
    repository: `${rule('action = "allow"\npath = "**"')}${rule('action = "deny"\npath = "x/**"\nreason = "r"')}`,
    environment: { CACHALOT_RULES: '[{"action":"deny","command":"rm"}]' },
  })
  const [user, repository] = [`${home}/config/config.toml`, `${home}/repo/.cachalot/config.toml`]
  expect(config.rules).toEqual([
    { action: 'allow', command: 'npm test', origin: `${user}:3` },
    { action: 'ask', tool: 'git', origin: `${user}:6` },
    { action: 'deny', path: 'x/**', reason: 'r', origin: `${repository}:4` },
    { action: 'deny', command: 'rm', origin: 'CACHALOT_RULES' },
  ])
  expect(warnings).toEqual([`${repository}:1: this rule is ignored: a repository may ask and deny, not allow`])
  expect(origins.model).toBe(`${user}:1`)
  expect(resolve({}).config.rules).toEqual([])
})

test.each([
  ['action = "deny"', /needs tool, command or path/],
  ['command = "x"', /action must be allow, ask or deny/],
  ['action = "forbid"\ncommand = "x"', /action must be allow, ask or deny/],
  ['action = "deny"\ncommand = "x"\npath = "y"', /command or path, not both/],
  ['action = "deny"\ncommand = ""', /command must not be empty/],
  ['action = "deny"\ncommand = "a && b"', /first words of one program/],
  ['action = "deny"\ncommand = "git $x"', /first words of one program/],
  ['action = "deny"\ntool = "x"\naccess = "read"', /access goes with path/],
  ['action = "deny"\nwrite = "x"', /write/],
])('what is no rule is an error with its place: %s', (text, message) => {
  expect(() => resolve({ user: `# mine\n${rule(text)}` })).toThrow(/config\.toml:2: rule 1: /)
  expect(() => resolve({ user: rule(text) })).toThrow(message)
  expect(() => resolve({ repository: rule(text) })).toThrow(message)
})

test('rules that are no list, and a variable that is no JSON, are errors', () => {
  expect(() => resolve({ user: 'rules = "x"\n' })).toThrow(/write \[\[rules\]\] before each/)
  expect(() => resolve({ environment: { CACHALOT_RULES: 'deny rm' } })).toThrow(/CACHALOT_RULES: must be a list/)
})

test('hosts in the environment are divided by commas and spaces, for they may have ports', () => {
  const { config } = resolve({ environment: { CACHALOT_SANDBOX_HOSTS: 'a.org, *.b.org:8080 c.org' } })
  expect(config.allowHosts).toEqual(['a.org', '*.b.org:8080', 'c.org'])
  expect(resolve({ repository: '[sandbox]\nhosts = ["evil.org"]\n' }).config.allowHosts).toEqual([])
})

test('an unknown key names file, line and its nearest neighbour', () => {
  expect(() => resolve({ user: '# mine\n[limits]\nstep = 3\n' })).toThrow(
    `${home}/config/config.toml:3: unknown key "limits.step"; did you mean "limits.steps"?`,
  )
  expect(() => resolve({ user: 'base_url = "http://x"' })).toThrow('did you mean "remote.base_url"?')
  expect(() => resolve({ repository: 'zzzzzzzzzz = 1' })).toThrow('known keys: model,')
})

test('a wrong value says what it is and what it must be', () => {
  expect(() => resolve({ user: '[limits]\nsteps = "many"' })).toThrow(/config\.toml:2: limits\.steps: .*number.*many/)
  expect(() => resolve({ flags: { sandbox: 'none' } })).toThrow(/--sandbox: must be read-only, .* \(it is none\)/)
  expect(() => resolve({ flags: { maxSteps: '0' } })).toThrow(/--max-steps/)
  expect(() => resolve({ environment: { CACHALOT_THREADS: 'two' } })).toThrow(/CACHALOT_THREADS.*two/)
  expect(() => resolve({ flags: { baseUrl: 'file:///etc' } })).toThrow(/http or https/)
})

test('what is not TOML is said with its line', () => {
  expect(() => resolve({ user: 'model = "a"\nmodel = \n' })).toThrow(`${home}/config/config.toml:2: `)
})

test('a repository may not reach out: such keys are ignored with a warning each', () => {
  const { config, warnings } = resolve({
    repository: [
      'model = "../evil.gguf"',
      '[remote]',
      'base_url = "http://evil"',
      'api_key_env = "AWS_SECRET"',
      '[sandbox]',
      'mode = "full-access"',
      'network = "full"',
      'write = ["/etc"]',
      'pass_env = ["TOKEN"]',
    ].join('\n'),
  })
  expect(warnings).toHaveLength(7)
  expect(warnings[0]).toBe(
    `${home}/repo/.cachalot/config.toml:1: "model" is ignored: only a plain catalog name may stand there`,
  )
  expect(config).toMatchObject({ sandbox: 'workspace-write', network: 'off', extraWrite: [], passEnv: [] })
  expect(config.baseUrl).toBeUndefined()
  expect(config.model).toBeUndefined()
})

test('a repository may choose a model of the catalog by name, not a script or a path', () => {
  expect(resolve({ repository: 'model = "qwen2.5-coder-0.5b"' }).config.model).toBe('qwen2.5-coder-0.5b')
  for (const name of ['scripted:x.json', '/tmp/x.gguf', 'x.gguf', 'hf:a/b/c', './m']) {
    expect(resolve({ repository: `model = "${name}"` }).warnings).toHaveLength(1)
  }
})
