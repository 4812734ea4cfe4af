import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { remotePresets } from '../../engine/index.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { settings } from '../../src/config/settings.ts'
import { openRemoteModel } from '../../src/open/remote.ts'
import { resolvePaths } from '../../src/paths.ts'

const program = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cachalot-remote-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const cachalot = (...words: string[]) =>
  execa(process.execPath, [program, ...words], {
    env: { CACHALOT_HOME: home },
    reject: false,
    input: '',
  })

test('remote show prints the serving command, what is sent, and the way to use it', async () => {
  const { stdout, exitCode } = await cachalot('remote', 'show', 'sglang')
  expect(exitCode).toBe(0)
  expect(stdout).toContain('python3 -m sglang.launch_server --model-path deepseek-ai/DeepSeek-V4-Flash-0731')
  expect(stdout).toContain('cachalot --preset sglang')
  expect((await cachalot('remote', 'show', 'deepseek')).stdout).toMatch(
    /deepseek-flash: \$0\.003 cached, \$0\.15 new, \$0\.6 written/,
  )
})

test('a preset that is none names the nearest', async () => {
  const { stderr, exitCode } = await cachalot('remote', 'show', 'vlm')
  expect(exitCode).toBe(2)
  expect(stderr).toContain('did you mean "vllm"?')
})

test('the setting knows the presets there are', () => {
  for (const name of Object.keys(remotePresets)) expect(settings.preset.schema.safeParse(name).success).toBe(true)
  expect(settings.preset.schema.safeParse('klingon').success).toBe(false)
})

test('what a preset lacks is said before anything is sent', () => {
  const open = (flags: Record<string, string>, environment: Record<string, string> = {}) => {
    const { config } = resolveConfig({
      cwd: home,
      paths: resolvePaths({ CACHALOT_HOME: home }),
      environment: {},
      flags,
    })
    return openRemoteModel(config, environment)
  }
  expect(() => open({ preset: 'deepseek' })).toThrow(/DEEPSEEK_API_KEY \(the preset deepseek reads it\) is not set/)
  expect(() => open({ preset: 'ollama' })).toThrow(/which model of http:\/\/127\.0\.0\.1:11434\/v1\?/)
  expect(() => open({ preset: 'vllm', effort: 'max', context: '65536' })).toThrow(/393216/)
  expect(open({ preset: 'deepseek' }, { DEEPSEEK_API_KEY: 'k' }).info).toMatchObject({
    name: 'deepseek-flash',
    contextTokens: 1_048_576,
  })
})
