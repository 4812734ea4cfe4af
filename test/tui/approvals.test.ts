import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { ApprovalAnswer } from '../../agent/index.ts'
import { openApprovals } from '../../src/tui/approvals.ts'
import type { Desk } from '../../src/tui/desk.ts'
import { newUi } from '../../src/tui/ui.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => vi.useRealTimers())

/** A question about a command; drawing it takes `drawMs`. */
function ask(drawMs: number) {
  const ui = newUi({
    mode: 'ask',
    model: 'm',
    contextTokens: undefined,
    sandbox: 'bwrap',
    folder: '/w',
    statusItems: [],
    still: false,
    vim: undefined,
    rings: false,
  })
  const desk = {
    ui,
    place: { root: '/w', network: 'off', hosts: [] },
    transcript: { changeSeen: () => undefined },
    sayLines: () => undefined,
    draw: () => vi.setSystemTime(Date.now() + drawMs),
  } as unknown as Desk
  const approvals = openApprovals(desk)
  const request = { callId: '1', tool: 'shell', effects: [{ kind: 'run', command: 'rm x' }], preview: [], reason: '' }
  const answers: ApprovalAnswer[] = []
  const asked = approvals.approve(
    request as unknown as Parameters<typeof approvals.approve>[0],
    new AbortController().signal,
  )
  void asked.then((answer) => answers.push(answer))
  return { approvals, asked, answers }
}

it('what is typed in the first 0.4 s after a question is seen is not taken for an answer', async () => {
  const { approvals, asked, answers } = ask(1000)
  for (const ms of [0, 200, 199]) {
    vi.setSystemTime(Date.now() + ms)
    expect(approvals.text('y')).toBe(false)
  }
  await Promise.resolve()
  expect(answers).toEqual([])
  vi.setSystemTime(Date.now() + 1)
  expect(approvals.text('y')).toBe(true)
  expect(await asked).toEqual({ allow: true })
})
