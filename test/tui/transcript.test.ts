import { describe, expect, it } from 'vitest'
import type { AgentEvent } from '../../agent/index.ts'
import { plainText } from '../../src/tui/text/style.ts'
import { changeLines, countChange, patchLines } from '../../src/tui/transcript/diff.ts'
import { openTranscript, type Transcript } from '../../src/tui/transcript/transcript.ts'
import type { ToolResult } from '../../tools/index.ts'

const usage = {
  promptTokens: 900,
  cachedTokens: 800,
  evaluatedTokens: 100,
  generatedTokens: 50,
  prefillSeconds: 1,
  decodeSeconds: 2,
}
const drain = (transcript: Transcript, width = 60): string[] => transcript.take(width, 10).map(plainText)
const feed = (transcript: Transcript, events: readonly AgentEvent[]): void => {
  for (const event of events) transcript.apply(event, 1000)
}
const command = (output: string, exitCode = 0): ToolResult => ({
  ok: exitCode === 0,
  content: output,
  details: { kind: 'command', command: 'npm test', exitCode, outcome: 'exited', seconds: 1.2, output },
})

describe('diffs', () => {
  it('number lines, fold what did not change, set off the changed words', () => {
    const before = Array.from({ length: 30 }, (_, n) => `const value${n} = ${n}`)
    const after = before.with(14, 'const value14 = 41').toSpliced(27, 1)
    const lines = changeLines({ path: 'a.ts', before: before.join('\n'), after: after.join('\n') }, { width: 60 })
    expect(lines.map(plainText)).toEqual([
      '    ⋯ 11 unchanged',
      ' 12   const value11 = 11',
      ' 13   const value12 = 12',
      ' 14   const value13 = 13',
      ' 15 - const value14 = 14',
      ' 15 + const value14 = 41',
      ' 16   const value15 = 15',
      ' 17   const value16 = 16',
      ' 18   const value17 = 17',
      '    ⋯ 6 unchanged',
      ' 25   const value24 = 24',
      ' 26   const value25 = 25',
      ' 27   const value26 = 26',
      ' 28 - const value27 = 27',
      ' 28   const value28 = 28',
      ' 29   const value29 = 29',
      '    (no line break at the end of the file)',
    ])
    const changed = lines.find((line) => plainText(line).includes('= 41'))
    expect(changed?.find(({ style }) => style.underline)?.text).toBe('41')
  })

  it('count, and say what is left out', () => {
    expect(countChange({ path: 'a', before: null, after: 'a\nb\n' })).toEqual({ added: 2, removed: 0 })
    const many = Array.from({ length: 500 }, (_, n) => `l${n}\n`).join('')
    const lines = changeLines({ path: 'a', before: null, after: many }, { width: 60, limit: 10 })
    expect(lines.length).toBeLessThan(20)
    expect(plainText(lines.at(-1)!)).toMatch(/484 more changed lines/)
  })

  it('read unified diffs, and show what is none', () => {
    expect(patchLines('--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n', { width: 40 }).map(plainText)).toEqual([
      '  1 - a',
      '  1 + b',
    ])
  })
})

describe('the transcript', () => {
  it('gives finished blocks once, in order, a blank line apart', () => {
    const transcript = openTranscript({ reasoning: 'folded' })
    transcript.addUser('fix it\nplease')
    feed(transcript, [
      { type: 'step', step: 1 },
      { type: 'reasoning', text: 'let me think' },
      { type: 'text', text: 'I run **the tests**.' },
      {
        type: 'call',
        call: { id: '1', name: 'shell', arguments: { command: 'npm test' } },
        effects: [{ kind: 'run', command: 'npm test' }],
      },
      { type: 'output', callId: '1', text: 'ok 1\nok' },
    ])
    expect(drain(transcript)).toEqual([
      '› fix it',
      '  please',
      '',
      '┊ thought, 3 words (Ctrl-O shows it)',
      '',
      'I run the tests.',
    ])
    expect(transcript.live(60, 10).map(plainText)).toEqual(['', '● shell npm test', '  ⎿ ok 1', '    ok'])
    feed(transcript, [
      { type: 'tool-result', callId: '1', name: 'shell', result: command('ok 1\nok 2\n'), seconds: 1.2 },
      {
        type: 'result',
        exit: 'done',
        exitCode: 0,
        text: 'x',
        changes: [],
        checks: [
          { name: 'syntax', passed: true, detail: '' },
          { name: 'tests', passed: null, detail: 'none are related\nmore' },
        ],
        steps: 1,
        seconds: 3,
        usage,
      },
    ])
    expect(drain(transcript)).toEqual([
      '',
      '● shell npm test',
      '  ⎿ ok 1',
      '    ok 2',
      '    exit code 0 · 1.2s',
      '',
      '✓ done · 3.0s · 50 tokens at 25/s · 100 read at 100/s, 800 ',
      '  warm',
      '  ✓ syntax',
      '  – tests: none are related',
    ])
    expect(drain(transcript)).toEqual([])
    expect(transcript.live(60, 10)).toEqual([])
    expect(transcript.answer).toBe('I run **the tests**.')
  })

  it('shows reasoning where it is wanted, dimmed and marked', () => {
    const transcript = openTranscript({ reasoning: 'shown' })
    feed(transcript, [
      { type: 'reasoning', text: 'one\n\ntwo' },
      { type: 'text', text: 'answer' },
    ])
    transcript.settle()
    expect(drain(transcript)).toEqual(['┊ one', '┊ ', '┊ two', '', 'answer'])
  })

  it('folds long output and cuts endless lines', () => {
    const transcript = openTranscript({ reasoning: 'folded' })
    const output = `${Array.from({ length: 100 }, (_, n) => `line ${n}`).join('\n')}\n${'x'.repeat(5000)}`
    feed(transcript, [{ type: 'tool-result', callId: '9', name: 'shell', result: command(output, 1), seconds: 1 }])
    const lines = drain(transcript)
    expect(lines.length).toBeLessThan(24)
    expect(lines).toContain('    ⋯ 85 more lines')
    expect(lines.at(-1)).toBe('    exit code 1 · 1.2s')
  })

  it('shows what was explored and recalled, and what came of it', () => {
    const transcript = openTranscript({ reasoning: 'folded' })
    const asked = (name: string, id: string, given: object): AgentEvent => ({
      type: 'call',
      call: { id, name, arguments: given },
      effects: [{ kind: 'read', path: '.' }],
    })
    const found = { kind: 'search', pattern: 'Where is it?', matches: 1 } as const
    feed(transcript, [
      asked('explore', '1', { question: 'Where is it?' }),
      {
        type: 'tool-result',
        callId: '1',
        name: 'explore',
        result: { ok: true, content: 'In a.ts:3.', details: found },
        seconds: 1,
      },
      asked('recall', '2', { id: 'p1' }),
      {
        ...{ type: 'tool-result', callId: '2', name: 'recall', seconds: 0 },
        result: { ok: true, content: 'x', details: { kind: 'list', path: 'p1', entries: 1501 } },
      },
    ])
    expect(drain(transcript).filter((one) => one !== '')).toEqual([
      '● explore Where is it?',
      '  ⎿ In a.ts:3.',
      '● recall p1',
      '  ⎿ 1,501 lines',
    ])
  })

  it('shows what escape sequences in names, commands, output and paths are', () => {
    const transcript = openTranscript({ reasoning: 'shown' })
    const bad = 'a\x1b[2J\x9b1m\u202eb'
    feed(transcript, [
      { type: 'reasoning', text: bad },
      { type: 'text', text: bad },
      { type: 'notice', level: 'error', text: bad },
      { type: 'malformed', text: bad, problem: bad },
      { type: 'call', call: { id: '1', name: bad, arguments: {} }, effects: [{ kind: 'write', path: bad }] },
      { type: 'tool-result', callId: '1', name: bad, result: command(bad), seconds: 1 },
      { type: 'call-start', name: bad, path: bad },
      { type: 'call-delta', text: bad },
    ])
    const all = [...drain(transcript), ...transcript.live(60, 10).map(plainText)].join('\n')
    expect(all).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/)
    expect(all.match(/a␛\[2J<U\+009B>1m<U\+202E>b/g)?.length).toBeGreaterThan(6)
  })

  it('gives rows that a smaller terminal pushed out only once, also when their text ended before that was known', () => {
    const transcript = openTranscript({ reasoning: 'folded' })
    feed(transcript, [{ type: 'text', text: 'one two three four five six seven' }])
    const [first = ''] = transcript.live(10, 10).map(plainText)
    feed(transcript, [{ type: 'notice', level: 'info', text: 'end' }])
    transcript.pushedOut(first)
    expect(drain(transcript, 40)).toEqual(['three four five six seven', '', '· end'])
  })

  it('tells of calls that a settled run left behind', () => {
    const transcript = openTranscript({ reasoning: 'folded' })
    feed(transcript, [
      { type: 'call', call: { id: '1', name: 'shell', arguments: {} }, effects: [{ kind: 'run', command: 'sleep 9' }] },
    ])
    transcript.settle()
    expect(drain(transcript)).toEqual(['● shell sleep 9', '  ⎿ interrupted'])
  })
})
