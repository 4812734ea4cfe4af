import { expect, test } from 'vitest'
import type { AgentEvent } from '../../../agent/index.ts'
import { jsonOutput } from '../../../src/run/json-output.ts'
import { quietOutput } from '../../../src/run/quiet-output.ts'
import { textOutput } from '../../../src/run/text-output.ts'
import { openScreen } from '../../../src/terminal/screen.ts'
import { capture } from './capture.ts'

const usage = {
  promptTokens: 1234,
  cachedTokens: 800,
  evaluatedTokens: 434,
  generatedTokens: 120,
  prefillSeconds: 2,
  decodeSeconds: 5,
}
const result: Extract<AgentEvent, { type: 'result' }> = {
  type: 'result',
  exit: 'done',
  exitCode: 0,
  text: 'All done.',
  changes: [{ path: 'a.ts', kind: 'changed', diff: '--- a/a.ts\n+++ b/a.ts\n@@ -1 +1,2 @@\n-old\n+new\n+more\n' }],
  checks: [{ name: 'syntax', passed: true, detail: '1 file' }],
  steps: 2,
  seconds: 8.24,
  usage,
}
const command = (lines: number): AgentEvent[] => [
  {
    type: 'call',
    call: { id: '1', name: 'shell', arguments: {} },
    effects: [{ kind: 'run', command: 'npm test\nls' }],
  },
  ...Array.from({ length: lines }, (_, at): AgentEvent => ({ type: 'output', callId: '1', text: `line ${at}\n` })),
  {
    type: 'tool-result',
    callId: '1',
    name: 'shell',
    seconds: 1.5,
    result: {
      ok: false,
      content: '',
      details: { kind: 'command', command: 'npm test', exitCode: 2, outcome: 'exited', seconds: 1.5, output: '' },
    },
  },
]

function show(
  events: readonly AgentEvent[],
  { terminal = false, color = true, quiet = false, environment = {} as Record<string, string> } = {},
): { stdout: string; stderr: string } {
  const stdout = capture(terminal)
  const stderr = capture(terminal)
  const screen = openScreen({ stdout: stdout.stream, stderr: stderr.stream, environment, color, progress: true })
  const output = quiet ? quietOutput(screen) : textOutput(screen)
  for (const event of events) output.event(event)
  return { stdout: stdout.text(), stderr: stderr.text() }
}

test('what two replies say are two paragraphs', () => {
  const events: AgentEvent[] = [
    { type: 'step', step: 1 },
    { type: 'text', text: 'Repaired.' },
    { type: 'step', step: 2 },
    { type: 'text', text: 'And looked at.' },
  ]
  expect(show(events, { color: false }).stdout).toContain('Repaired.\n\nAnd looked at.')
})

test('what explorations took stands beside the whole', () => {
  const explored = { ...usage, evaluatedTokens: 300, generatedTokens: 57 }
  const { stdout, stderr } = show([{ ...result, explored }], { color: false })
  expect(stdout + stderr).toContain('wrote 120 tokens at 24/s · of these exploring: 300 read, 57 written')
})

test('a run reads as blocks: reasoning, text, calls, diff, summary', () => {
  const { stdout } = show([
    { type: 'step', step: 1 },
    { type: 'reasoning', text: 'Hm, ' },
    { type: 'reasoning', text: 'let me see.' },
    { type: 'text', text: 'I run the tests.' },
    ...command(2),
    { type: 'step', step: 2 },
    { type: 'text', text: 'All ' },
    { type: 'text', text: 'done.' },
    result,
  ])
  expect(stdout).toBe(
    [
      'Hm, let me see.',
      '',
      'I run the tests.',
      '',
      '$ npm test … (+1 lines)',
      '  │ line 0',
      '  │ line 1',
      '✗ shell exit 2 1.5s',
      '',
      'All done.',
      '',
      '--- a/a.ts',
      '+++ b/a.ts',
      '@@ -1 +1,2 @@',
      '-old',
      '+new',
      '+more',
      '',
      '✓ syntax: 1 file',
      '✓ done · 1 file changed +2 −1 · 2 steps · 8.2s · read 1,234 tokens (800 cached) at 217/s · wrote 120 tokens at 24/s',
      '',
    ].join('\n'),
  )
})

test('long command output keeps its head and its tail', () => {
  const lines = show(command(100)).stdout.split('\n')
  expect(lines.filter((line) => line.startsWith('  │'))).toHaveLength(17)
  expect(lines).toContain('  │ … 84 more lines')
  expect(lines).toContain('  │ line 99')
})

test('a line redrawn by carriage returns is shown in its last state, and a split line is one line', () => {
  const events = command(0)
  events.splice(
    1,
    0,
    { type: 'output', callId: '1', text: '10%\r50%\r' },
    { type: 'output', callId: '1', text: '100%\n' },
  )
  expect(show(events).stdout).toContain('  │ 100%\n')
  expect(show(events).stdout).not.toContain('50%')
})

test('without a terminal there is no escape sequence and no passing line', () => {
  const events: AgentEvent[] = [{ type: 'prefill', done: 10, total: 100, cached: 0 }, ...command(3), result]
  const { stdout, stderr } = show(events)
  expect(stdout + stderr).not.toContain('\x1b')
  expect(stderr).toBe('')
})

test('a terminal gets colour, unless it or the user wants none', () => {
  expect(show([result], { terminal: true }).stdout).toContain('\x1b[32m+new\x1b[39m')
  const plains: Parameters<typeof show>[1][] = [
    { color: false },
    { environment: { NO_COLOR: '1' } },
    { environment: { TERM: 'dumb' } },
  ]
  for (const plain of plains) {
    expect(show([...command(1), result], { terminal: true, ...plain }).stdout).not.toContain('\x1b')
  }
})

test('reading is a passing line on stderr that leaves no debris', () => {
  const { stderr } = show(
    [
      { type: 'step', step: 1 },
      { type: 'prefill', done: 50, total: 100, cached: 0 },
      { type: 'text', text: 'x' },
    ],
    {
      terminal: true,
    },
  )
  expect(stderr).toContain('reading ██████████░░░░░░░░░░ 50 / 100 tokens')
  expect(stderr).toMatch(/\r +\r$/)
})

test('nothing that a terminal obeys gets through from model, tools or files', () => {
  const evil = '\x1b]52;c;aGk=\x07\x9b2J\u202e\r'
  const events: AgentEvent[] = [
    { type: 'session', id: '1', cwd: evil, model: { name: evil } as never, sandbox: 'bwrap' },
    { type: 'notice', level: 'warning', text: evil },
    { type: 'reasoning', text: evil },
    { type: 'text', text: evil },
    { type: 'call-start', name: evil, path: evil },
    { type: 'call-delta', text: evil },
    { type: 'call', call: { id: '1', name: evil, arguments: {} }, effects: [{ kind: 'run', command: evil }] },
    { type: 'output', callId: '1', text: `${evil}\n` },
    {
      type: 'tool-result',
      callId: '1',
      name: evil,
      seconds: 0,
      result: { ok: true, content: evil, details: { kind: 'change', path: evil, before: null, after: evil } },
    },
    { type: 'malformed', text: evil, problem: evil },
    { ...result, text: evil, changes: [{ path: evil, kind: 'changed', diff: `--- ${evil}\n@@ -1 +1 @@\n+${evil}\n` }] },
  ]
  for (const quiet of [false, true]) {
    const { stdout, stderr } = show(events, { terminal: true, color: false, quiet })
    expect(stdout).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/)
    // Our own passing lines use carriage returns.
    expect(stderr.replaceAll('\r', '')).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/)
  }
})

test('quiet: the result on stdout when done, the reason on stderr when not', () => {
  expect(show([{ type: 'text', text: 'words' }, result], { quiet: true })).toEqual({
    stdout: 'All done.\n',
    stderr: '',
  })
  const failed = { ...result, exit: 'limit' as const, exitCode: 5, text: 'Steps ran out.' }
  expect(show([failed], { quiet: true })).toEqual({ stdout: '', stderr: 'cachalot: limit: Steps ran out.\n' })
})

test('a reason to end that the model did not say is said on stderr', () => {
  const failed = { ...result, changes: [], exit: 'model' as const, exitCode: 3, text: 'The server is gone.\nStart it.' }
  const { stdout, stderr } = show([{ type: 'text', text: 'Well' }, failed])
  expect(stderr).toBe('cachalot: The server is gone.\nStart it.\n')
  expect(stdout).toContain('✗ model failed · no file changed')
})

test('JSON: each event is one line that parses back', () => {
  let text = ''
  const output = jsonOutput((chunk) => {
    text += chunk
  })
  const events: AgentEvent[] = [{ type: 'text', text: 'a\nb\x1b\u202e' }, ...command(1), result]
  for (const event of events) output.event(event)
  expect(text).not.toContain('\u202e')
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(events)
})
