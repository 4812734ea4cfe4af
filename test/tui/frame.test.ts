import { describe, expect, it } from 'vitest'
import type { AgentEvent } from '../../agent/index.ts'
import { activityLine, beginActivity, follow } from '../../src/tui/activity.ts'
import { allowedBy, proposalLines, rulesFor } from '../../src/tui/approval.ts'
import { insert } from '../../src/tui/editor/editor.ts'
import { insertMode } from '../../src/tui/editor/vim.ts'
import { chrome } from '../../src/tui/frame.ts'
import { key } from '../../src/tui/input/keys.ts'
import { asksBefore, nextMode, sandboxMode } from '../../src/tui/modes.ts'
import { picked, pressPicker, typePicker } from '../../src/tui/picker.ts'
import { defaultStatus, statusLine } from '../../src/tui/status.ts'
import { backgroundOf } from '../../src/tui/terminal.ts'
import { lineWidth, plainText } from '../../src/tui/text/style.ts'
import { depthOf } from '../../src/tui/text/themes.ts'
import { newUi, type Picker, type Ui } from '../../src/tui/ui.ts'
import type { TextChange } from '../../tools/index.ts'

const ui = (): Ui => ({
  ...newUi({
    mode: 'ask',
    model: 'qwen',
    contextTokens: 1000,
    sandbox: 'bwrap',
    folder: '/w',
    statusItems: defaultStatus,
    still: false,
    vim: undefined,
    rings: true,
  }),
  branch: 'main',
  contextUsed: 800,
  warm: 700,
})

describe('the live part of the screen', () => {
  it('is smaller than any screen, whatever is open', () => {
    for (const rows of [1, 2, 4, 8, 12, 30]) {
      for (const columns of [1, 8, 40, 100]) {
        const full = ui()
        full.editor = insert(full.editor, 'many words\n'.repeat(40))
        full.queue = Array.from({ length: 9 }, (_, n) => ({ text: `queued ${n}`, when: 'after' as const }))
        full.activity = beginActivity(0)
        full.completion = {
          token: { kind: 'path', from: 0, to: 1, query: '' },
          suggestions: Array.from({ length: 30 }, (_, n) => ({ insert: '', label: `file ${n}`, help: 'help' })),
          at: 20,
          moved: false,
        }
        const { lines, room, cursor } = chrome(full, { columns, rows }, 0)
        expect(lines.length + room).toBeLessThanOrEqual(Math.max(1, rows - 1))
        for (const one of lines) expect(lineWidth(one)).toBeLessThanOrEqual(columns)
        if (cursor !== undefined) expect(cursor.y).toBeLessThan(lines.length)
      }
    }
  })

  it('shows the rows of the editor around the cursor', () => {
    const long = ui()
    long.editor = insert(long.editor, Array.from({ length: 30 }, (_, n) => `row ${n}`).join('\n'))
    const { lines, cursor } = chrome(long, { columns: 40, rows: 20 }, 0)
    expect(plainText(lines[cursor?.y ?? -1] ?? [])).toBe('  row 29')
  })

  it('keeps the mode in view while a hint is there', () => {
    const hinted = ui()
    hinted.hint = { text: 'copied', until: 10 }
    expect(plainText(chrome(hinted, { columns: 60, rows: 20 }, 5).lines.at(-2) ?? [])).toBe('ask · copied')
    expect(plainText(chrome(hinted, { columns: 60, rows: 20 }, 11).lines.at(-2) ?? [])).toContain('qwen')
  })
})

describe('the status line', () => {
  it('leaves out what does not fit, never the mode', () => {
    expect(plainText(statusLine(ui(), defaultStatus, 100))).toBe(
      'ask · qwen · ⎇ main · context ██████░░ 80 % · 700 warm · bwrap',
    )
    expect(plainText(statusLine(ui(), defaultStatus, 14))).toBe('ask · qwen')
    expect(plainText(statusLine({ ...ui(), sandbox: 'none' }, ['sandbox'], 40))).toBe('ask · no sandbox')
  })
})

describe('progress', () => {
  const shownAfter = (events: readonly [AgentEvent, number][]): string => {
    const last = events.reduce((activity, [event, at]) => follow(activity, event, at), beginActivity(0))
    return plainText(activityLine(last, events.at(-1)?.[1] ?? 0, 200, true))
  }

  it('tells tokens done and to do, speed and time left while reading', () => {
    const line = shownAfter([
      [{ type: 'step', step: 1 }, 0],
      [{ type: 'prefill', done: 1000, total: 5000, cached: 1000 }, 1000],
      [{ type: 'prefill', done: 3000, total: 5000, cached: 1000 }, 3000],
    ])
    expect(line).toContain('reading')
    expect(line).toContain('3,000 of 5,000 tokens · 1,000 warm · 1,000/s · 2.0s left')
  })

  it('tells tokens and speed while writing', () => {
    const words: [AgentEvent, number][] = Array.from({ length: 21 }, (_, n) => [
      { type: 'text', text: 'w ' },
      1000 + n * 100,
    ])
    expect(shownAfter([[{ type: 'step', step: 1 }, 0], ...words])).toMatch(/writing · 21 tokens at 11\/s/)
  })
})

describe('modes and rules', () => {
  it('go round, and ask for less each time', () => {
    expect(['plan', 'ask', 'auto-edit', 'auto'].map((mode) => nextMode(mode as Ui['mode']))).toEqual([
      'ask',
      'auto-edit',
      'auto',
      'plan',
    ])
    expect(sandboxMode('plan', 'workspace-write')).toBe('read-only')
    expect(sandboxMode('auto', 'workspace-write')).toBe('workspace-write')
    expect(asksBefore('auto-edit', { kind: 'write', path: 'a' })).toBe(false)
    expect(asksBefore('auto-edit', { kind: 'run', command: 'x' })).toBe(true)
  })

  it('allow exactly what was seen', () => {
    const rules = rulesFor([
      { kind: 'run', command: 'npm test' },
      { kind: 'write', path: 'a' },
    ])
    expect(allowedBy(rules, { kind: 'run', command: 'npm test' })).toBe(true)
    expect(allowedBy(rules, { kind: 'run', command: 'npm test && rm -rf .' })).toBe(false)
    expect(allowedBy(rules, { kind: 'write', path: 'b' })).toBe(false)
  })

  it('say whole what a command will do, also hidden at its end', () => {
    const command = `echo ok${' '.repeat(300)}; rm -rf /\x1b[2K`
    const lines = proposalLines(
      {
        name: 'shell',
        effects: [{ kind: 'run', command }],
        preview: [],
        reason: 'r',
      },
      { folder: '/w', network: 'off', sandbox: 'bwrap', because: undefined },
      40,
    )
    const text = lines.map(plainText).join('\n')
    expect(text.replace(/\s/g, '')).toContain(';rm-rf/␛[2K')
    expect(text).toMatch(/network\s+none/)
  })
})

describe('the question before a change', () => {
  const asked = (preview: readonly TextChange[]): string =>
    proposalLines(
      { name: 'write', effects: [], preview, reason: 'r' },
      { folder: '/w', network: 'off', sandbox: 'bwrap', because: undefined },
      60,
    )
      .map(plainText)
      .join('\n')

  it('shows of a whole file what differs, not the file', () => {
    const before = Array.from({ length: 40 }, (_, n) => `line ${n}\n`).join('')
    const text = asked([{ path: 'a.txt', before, after: before.replace('line 20', 'line twenty') }])
    expect(text).toMatch(/21 - line 20\n\s*21 \+ line twenty/)
    expect(text).not.toContain('line 5')
  })

  it('names each of several files, a deletion too', () => {
    const text = asked([
      { path: 'a.txt', before: 'a\n', after: null },
      { path: 'b.txt', before: null, after: 'a\n' },
    ])
    expect(text).toMatch(/deleted a\.txt \+0 −1[\s\S]*new b\.txt \+1 −0/)
  })
})

describe('lists', () => {
  it('narrow by typing and choose by key or digit', () => {
    const chosen: number[] = []
    const picker: Picker = {
      title: '',
      choices: ['alpha', 'beta', 'gamma'].map((label) => ({ label, detail: '' })),
      pick: (index) => chosen.push(index),
      cancel: () => chosen.push(-1),
      query: '',
      at: 0,
    }
    typePicker(picker, 'bet')
    expect(picked(picker).map(({ index }) => index)).toEqual([1])
    pressPicker(picker, key('return'))
    pressPicker(picker, key('u', { ctrl: true }))
    typePicker(picker, '3')
    pressPicker(picker, key('escape'))
    expect(chosen).toEqual([1, 2, -1])
  })
})

describe('the terminal', () => {
  it('tells its background', () => {
    expect(backgroundOf('11;rgb:0000/0000/0000')).toBe('dark')
    expect(backgroundOf('11;rgb:ff/ff/ee')).toBe('light')
    expect(backgroundOf('?62;c')).toBeUndefined()
  })

  it('has as many colours as its variables say', () => {
    expect(depthOf({ TERM: 'xterm-256color', NO_COLOR: '1' })).toBe('none')
    expect(depthOf({ TERM: 'xterm', COLORTERM: 'truecolor' })).toBe('true')
    expect(depthOf({ TERM: 'xterm' })).toBe('16')
    expect(depthOf({ TERM: 'screen-256color', NO_COLOR: '' })).toBe('256')
  })
})

it('with vim keys the prompt tells the mode', () => {
  const normal = ui()
  normal.vim = { ...insertMode, mode: 'normal' }
  expect(chrome(normal, { columns: 40, rows: 20 }, 0).lines.map(plainText)).toContain(': ')
})
