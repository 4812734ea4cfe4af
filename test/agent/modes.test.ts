import { expect, test } from 'vitest'
import { judgeEffects } from '../../agent/policy/modes.ts'
import type { Effect } from '../../tools/index.ts'
import { missingSandbox, policyFor } from './support.ts'

const sandbox = { ...missingSandbox, problem: undefined }
const read: Effect = { kind: 'read', path: 'a' }
const write: Effect = { kind: 'write', path: 'a' }
const run: Effect = { kind: 'run', command: 'ls' }
const path: Effect = { kind: 'open-write', path: '/opt/x' }
const host: Effect = { kind: 'open-host', host: 'example.org' }

test.each([
  ['read-only', [read], 'allow', 'allow'],
  ['read-only', [write], 'ask', 'ask'],
  ['read-only', [run], 'allow', 'no-sandbox'],
  ['workspace-write', [read, write], 'allow', 'allow'],
  ['workspace-write', [run], 'allow', 'no-sandbox'],
  ['full-access', [read, write, run], 'allow', 'allow'],
  ['read-only', [read, write, read], 'ask', 'ask'],
  ['read-only', [write, run], 'ask', 'no-sandbox'],
  ['read-only', [run, path], 'deny', 'no-sandbox'],
  ['read-only', [run, host], 'ask', 'no-sandbox'],
  ['workspace-write', [run, path], 'ask', 'no-sandbox'],
  ['workspace-write', [run, host], 'ask', 'no-sandbox'],
  ['full-access', [run, path, host], 'allow', 'allow'],
] as const)('%s: %j is %s, without a sandbox %s', (mode, effects, with_, without) => {
  expect(judgeEffects(effects, policyFor('/w', mode), sandbox).kind).toBe(with_)
  expect(judgeEffects(effects, policyFor('/w', mode), missingSandbox).kind).toBe(without)
})
