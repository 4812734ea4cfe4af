/** A person at the keyboard: first start, approvals, steering, interruption, undo, resume. The world is looked at, not the words. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openPty, type Pty, type PtyOptions } from './pty.ts'

let open: Pty[] = []
afterEach(() => {
  for (const one of open.toReversed()) one.dispose()
  open = []
})

async function start(options: PtyOptions, ready = '/help lists'): Promise<Pty> {
  const pty = openPty(options)
  open.push(pty)
  await pty.until(ready)
  return pty
}

/** The messages that the model was shown, from the log of the newest session. */
function logged(pty: Pty): { role: string; text: string }[] {
  const folder = join(pty.home, 'state', 'sessions')
  const logs = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  const used = (name: string): number => statSync(join(folder, name)).mtimeMs
  const newest = logs.sort((a, b) => used(a) - used(b)).at(-1) as string
  const text = readFileSync(join(folder, newest), 'utf8')
  // A record that is being written just now has no end yet.
  const lines = text.slice(0, text.lastIndexOf('\n')).split('\n')
  return lines.map((line) => JSON.parse(line)).flatMap((record) => (record.type === 'message' ? [record.message] : []))
}

const edit = { name: 'edit', arguments: { path: 'a.txt', old: 'one', new: 'two' } }
const shell = (command: string) => ({ name: 'shell', arguments: { command } })
/** A command that runs until `open` is called. */
const gate = {
  call: shell('until [ -e gate ]; do sleep 0.05; done'),
  open: (pty: Pty) => writeFileSync(join(pty.folder, 'gate'), ''),
}
const files = { 'a.txt': 'first\none\nlast\n' }
const read = (pty: Pty, path: string): string => readFileSync(join(pty.folder, path), 'utf8')
/** Questions take no key in their first moment. */
const grace = () => new Promise((resolve) => setTimeout(resolve, 450))

describe('the first start', () => {
  it('asks whether the folder is trusted, once; says what the sandbox guarantees', async () => {
    const pty = await start({ trusted: false, replies: [] }, 'Trust this folder?')
    await pty.until('Do you trust')
    pty.type('\r')
    await pty.until('Sandbox:')
    await pty.until('Shift-Tab changes')
    pty.type('\x04')
    expect(await pty.exit()).toBe(0)
    const again = await start({ home: pty.home, folder: pty.folder, trusted: false })
    expect(again.lines().join('\n')).not.toContain('Trust this folder?')
  })

  it('offers the models of this machine where there is none, and fetches nothing unasked', async () => {
    const pty = await start({ environment: { CACHALOT_MODEL: '' } }, 'Which model?')
    await pty.until(/qwen2.5-coder-1.5b .*GB.*needs/)
    pty.type('\x1b')
    await pty.until('No model was chosen')
    await pty.until('/help lists')
    pty.type('/doctor\r')
    await pty.until('colours:')
    expect(readdirSync(pty.home)).not.toContain('data')
  })

  it('leaves when the folder is not trusted', async () => {
    const pty = await start({ trusted: false, replies: [] }, 'Trust this folder?')
    pty.type('2')
    expect(await pty.exit()).toBe(0)
  })
})

describe('approvals', () => {
  it('show the change with its lines, wait for a yes, and change the file then', async () => {
    const pty = await start({ files, replies: [{ calls: [edit] }, { text: 'Changed.' }] })
    pty.type('change it\r')
    await pty.until('Allow this?')
    expect(pty.screen().join('\n')).toMatch(/ 2 - one\n\s+2 \+ two/)
    expect(read(pty, 'a.txt')).toBe(files['a.txt'])
    await grace()
    pty.type('y')
    await pty.until('✓ done')
    expect(read(pty, 'a.txt')).toBe('first\ntwo\nlast\n')
  })

  it('show of a whole file what differs', async () => {
    const text = 'first\ntwo\nlast\n'
    const write = { name: 'write', arguments: { path: 'a.txt', content: text } }
    const pty = await start({ files, replies: [{ calls: [write] }, { text: 'Changed.' }] })
    pty.type('change it\r')
    await pty.until('Allow this?')
    expect(pty.screen().join('\n')).toMatch(/ 1 {3}first\n\s+2 - one\n\s+2 \+ two\n\s+3 {3}last/)
    await grace()
    pty.type('y')
    await pty.until('✓ done')
    expect(read(pty, 'a.txt')).toBe(text)
  })

  it('tell the model the reason of a no', async () => {
    const pty = await start({ files, replies: [{ calls: [edit] }, { text: 'Then not.' }] })
    pty.type('look\r')
    await pty.until('Allow this?')
    await grace()
    pty.type('n')
    await pty.until('why not?')
    pty.type('keep one\r')
    await pty.until('Then not.')
    expect(read(pty, 'a.txt')).toBe(files['a.txt'])
    expect(logged(pty).find(({ role }) => role === 'tool')?.text).toContain('keep one')
  })

  it('keep what is allowed for the session, by a rule that is seen', async () => {
    const again = shell('echo hello')
    const pty = await start({ replies: [{ calls: [again] }, { calls: [{ ...again }] }, { text: 'Twice.' }] })
    pty.type('run\r')
    await pty.until('always in this session: the command: echo hello')
    await grace()
    pty.type('a')
    await pty.until('Twice.')
    expect(pty.lines().filter((line) => line.includes('shell wants to')).length).toBe(1)
  })

  it('fit a small screen', async () => {
    const long = { name: 'edit', arguments: { path: 'a.txt', old: 'one', new: Array(40).fill('more').join('\n') } }
    const pty = await start({ files, columns: 40, rows: 12, replies: [{ calls: [long] }, { text: 'ok' }] }, '›')
    pty.type('go\r')
    await pty.until('Allow this?')
    expect(pty.lines().filter((line) => line.includes('+ more')).length).toBe(40)
    await grace()
    pty.type('y')
    await pty.until('✓ done')
  })
})

describe('modes', () => {
  it('plan changes nothing: neither a tool nor a command can', async () => {
    const pty = await start({ files, replies: [{ calls: [edit, shell('touch made; echo ran')] }, { text: 'A plan.' }] })
    for (const mode of ['auto-edit', 'auto', 'plan']) {
      pty.type('\x1b[Z')
      await pty.until(new RegExp(`^${mode} ·`, 'm'))
    }
    pty.type('change it\r')
    await pty.until('A plan.')
    expect(read(pty, 'a.txt')).toBe(files['a.txt'])
    expect(readdirSync(pty.folder)).not.toContain('made')
  })

  it('auto asks nothing', async () => {
    const pty = await start({ files, replies: [{ calls: [edit, shell('touch made')] }, { text: 'All done.' }] })
    pty.type('/mode auto\r')
    await pty.until(/^auto ·/m)
    pty.type('change it\r')
    await pty.until('✓ done')
    expect(read(pty, 'a.txt')).toContain('two')
    expect(readdirSync(pty.folder)).toContain('made')
  })
})

describe('while it works', () => {
  it('Enter is told at the next tool boundary, Alt-Enter after the turn', async () => {
    const replies = [{ calls: [gate.call] }, { text: 'Second.' }, { text: 'Third.' }, { text: 'Fourth.' }]
    const pty = await start({ replies })
    pty.type('/mode auto\r')
    await pty.until(/^auto ·/m)
    pty.type('begin\r')
    await pty.until('running shell')
    pty.type('also this\r')
    await pty.until('next: also this')
    pty.type('and then that\x1b\r')
    await pty.until('after: and then that')
    gate.open(pty)
    await pty.until('Third.')
    const told = logged(pty)
      .filter(({ role }) => role !== 'system')
      .map(({ role, text }) => `${role}: ${text}`)
    const at = (part: string): number => told.findIndex((line) => line.includes(part))
    expect(at('also this')).toBeGreaterThan(told.findIndex((line) => line.startsWith('tool')))
    expect(at('also this')).toBeLessThan(at('Second.'))
    expect(at('and then that')).toBeGreaterThan(at('Second.'))
  })

  it('Up takes a queued message back, Esc gives the queue back to the editor', async () => {
    const pty = await start({ replies: [{ text: 'x', delayMs: 60_000 }] })
    pty.type('begin\r')
    await pty.until('Esc interrupts')
    pty.type('one\r')
    await pty.until('next: one')
    pty.type('two\r')
    await pty.until('next: two')
    pty.type('\x1b[A')
    await pty.until('› two')
    pty.type(' changed')
    await pty.until('› two changed')
    pty.type('\x1b')
    await pty.until('■ interrupted')
    await pty.until(/› one\n\s+two changed/)
  })

  it('Esc interrupts at once, also before the first word, and what was written stays', async () => {
    const tries = 8
    const never = Array.from({ length: tries }, () => ({ text: 'never', delayMs: 60_000 }))
    const pty = await start({ rows: 60, replies: [...never, { text: 'Again here.' }] })
    const times: number[] = []
    // A busy machine can be late once; a program that waits for the model is late each time.
    while (times.length < tries) {
      pty.type('begin\r')
      await pty.until(/reading .* tokens/)
      pty.type('my draft')
      await pty.until('› my draft')
      const began = performance.now()
      pty.type('\x1b')
      const seen = times.length + 1
      await pty.until(() => pty.screen().filter((row) => row.startsWith('■ interrupted')).length === seen)
      times.push(performance.now() - began)
      expect(pty.screen().join('\n')).toContain('› my draft')
      pty.type('\x15')
      await pty.until(/^› *$/m)
    }
    expect(Math.min(...times)).toBeLessThan(300)
    pty.type('once more\r')
    await pty.until('Again here.')
  })

  it('a plain command of the user runs in the sandbox and is told to the model', async () => {
    const pty = await start({ replies: [{ text: 'I see it.' }] })
    pty.type('!echo from-$((40+2))\r')
    await pty.until('exit code 0')
    pty.type('what was that?\r')
    await pty.until('I see it.')
    expect(logged(pty).find(({ text }) => text?.includes('what was that?'))?.text).toContain('from-42')
  })
})

describe('taking back and going on', () => {
  it('undoes and redoes a turn whole, and refuses when a file has changed since', async () => {
    const create = { name: 'write', arguments: { path: 'new.txt', text: 'made\n', content: 'made\n' } }
    const pty = await start({ files, replies: [{ calls: [edit, create] }, { text: 'Both.' }] })
    pty.type('/mode auto\r')
    await pty.until(/^auto ·/m)
    pty.type('go\r')
    await pty.until('✓ done')
    const after = readdirSync(pty.folder).sort()
    pty.type('/undo\r')
    await pty.until('Taken back')
    expect(read(pty, 'a.txt')).toBe(files['a.txt'])
    expect(readdirSync(pty.folder)).not.toContain('new.txt')
    pty.type('/redo\r')
    await pty.until(/Made the changes of .* again/)
    expect(read(pty, 'a.txt')).toContain('two')
    expect(readdirSync(pty.folder).sort()).toEqual(after)
  })

  it('undoes a turn of words: the conversation goes back, no file does, and the turn before it is next', async () => {
    const pty = await start({ files, replies: [{ calls: [edit] }, { text: 'Edited.' }, { text: 'Because.' }] })
    pty.type('/mode auto\r')
    await pty.until(/^auto ·/m)
    pty.type('go\r')
    await pty.until('Edited.')
    await pty.rest()
    pty.type('why\r')
    await pty.until('Because.')
    await pty.rest()
    pty.type('/undo\r')
    await pty.until('it changed no file')
    expect(read(pty, 'a.txt')).toContain('two')
    pty.type('/undo\r')
    await pty.until('the conversation went back')
    expect(read(pty, 'a.txt')).toBe(files['a.txt'])
    pty.type('/undo\r')
    await pty.until('There is nothing to undo.')
  })

  it('the context bar tells what is in the context after /undo, /btw, /fork, /compact and /new', async () => {
    const long = { text: 'Many words. '.repeat(2500) }
    const aside = { text: `${long.text}\n\nBecause.` }
    const replies = [{ calls: [edit] }, long, aside, long, { text: 'In short.' }, long]
    const pty = await start({ files, replies })
    pty.type('/mode auto\r')
    await pty.until(/^auto ·/m)
    const full = /^auto · .* context \S+ [2-9]\d %/m
    const empty = /^auto · .* context \S+ \d %/m
    const say = async (words: string, sign: string | RegExp): Promise<void> => {
      pty.type(`${words}\r`)
      await pty.until(sign)
      await pty.rest()
    }
    await say('begin', full)
    await say('/undo', 'the conversation went back')
    await pty.until(empty)
    await say('/btw and why?', 'Because.')
    await pty.until(empty)
    await say('once more', full)
    await say('/fork', 'This is session (fork) now')
    await pty.until(full)
    await say('/compact', 'are now a summary of')
    await pty.until(empty)
    await say('and on', full)
    await say('/new', 'A new session with scripted')
    await pty.until(empty)
  })

  it('/btw while a turn goes on is answered beside it, and shown apart from what it writes', async () => {
    const wait = { name: 'shell', arguments: { command: 'until [ -e go ]; do sleep 0.1; done' } }
    const replies = [{ calls: [wait] }, { text: 'An aside.' }, { text: 'All done.' }]
    const pty = await start({ files, replies })
    pty.type('/mode auto\r')
    await pty.until(/^auto ·/m)
    pty.type('begin\r')
    await pty.until(/running shell/)
    pty.type('/btw and why?\r')
    await pty.until('An aside.')
    await pty.until(/running shell/)
    writeFileSync(join(pty.folder, 'go'), '')
    await pty.until('All done.')
    expect(pty.output()).not.toContain('A turn is going on')
  })

  it('the context bar grows while the answer is written', async () => {
    const pty = await start({ replies: [{ text: 'Many words. '.repeat(6000), chunkMs: 1 }] })
    pty.type('go\r')
    await pty.until(/Esc interrupts\s+ask · .* context \S+ [1-9]\d %/)
    pty.type('\x1b')
    await pty.until('■ interrupted')
  })

  it('goes on with an earlier session, found by typing; forks it', async () => {
    const first = await start({ replies: [{ text: 'Answer one.' }] })
    first.type('talk of whales\r')
    await first.until('Answer one.')
    await first.until('✓ done')
    first.type('/rename about whales\r')
    await first.until('named about whales')
    first.type('\x03\x03')
    expect(await first.exit()).toBe(0)
    const second = await start({ home: first.home, folder: first.folder, replies: [{ text: 'Answer two.' }] })
    second.type('/resume\r')
    await second.until('about whales')
    second.type('whal')
    second.type('\r')
    await second.until('Resumed about whales')
    expect(second.output()).toContain('\x1b]0;about whales · Cachalot\x07')
    expect(second.lines().join('\n')).toContain('Answer one.')
    second.type('and more\r')
    await second.until('Answer two.')
    expect(
      logged(second)
        .map(({ text }) => text)
        .join('\n'),
    ).toMatch(/talk of whales[\s\S]*Answer one\.[\s\S]*and more/)
    await second.rest()
    second.type('/fork\r')
    await second.until('This is about whales (fork) now')
    second.type('/tree\r')
    await second.until('└ about whales (fork)')
    second.type('/export md story.md\r')
    await second.until('Written to')
    expect(read(second, 'story.md')).toMatch(/talk of whales[\s\S]*Answer two/)
  })

  it('counts the cost of a session with what it used before it was resumed, and that of the program beside it', async () => {
    const first = await start({ replies: [{ text: 'One.' }, { text: 'Two.' }] })
    for (const [said, answer] of [
      ['first', 'One.'],
      ['second', 'Two.'],
    ] as const) {
      first.type(`${said}\r`)
      await first.until(answer)
      await first.rest()
    }
    first.type('\x03\x03')
    expect(await first.exit()).toBe(0)
    const words = ['--continue']
    const again = await start(
      { home: first.home, folder: first.folder, words, replies: [{ text: 'Three.' }] },
      'Resumed',
    )
    again.type('third\r')
    await again.until('Three.')
    await again.rest()
    again.type('/cost\r')
    await again.until(/This session\n {2}turns +3\n[\s\S]*Since cachalot was started\n {2}turns +1\n/)
    again.type('/new\r')
    await again.until('A new session')
    again.type('/cost\r')
    await again.until(/This session\n {2}turns +0\n[\s\S]*Since cachalot was started\n {2}turns +1\n/)
  })

  it('compacts: a new session begins with the summary of the old one', async () => {
    const pty = await start({ replies: [{ text: 'First answer.' }, { text: 'SUMMARY of it.' }, { text: 'Onward.' }] })
    pty.type('question\r')
    await pty.until('First answer.')
    await pty.until('✓ done')
    pty.type('/compact\r')
    await pty.until('goes before your next message')
    pty.type('next\r')
    await pty.until('Onward.')
    const told = logged(pty)
      .map(({ text }) => text)
      .join('\n')
    expect(told).toContain('SUMMARY of it.')
    expect(told).not.toContain('First answer.')
    await pty.rest()
    pty.type('/resume\r')
    await pty.until('question (compacted)')
  })

  it('compacts nothing when there is no summary', async () => {
    const pty = await start({
      replies: [{ text: 'First answer.' }, { text: 'half', delayMs: 60_000 }, { text: 'On.' }],
    })
    pty.type('/compact\r')
    await pty.until('nothing to summarise')
    pty.type('question\r')
    await pty.until('✓ done')
    pty.type('/compact\r')
    // With its tokens on the screen the model has taken this reply: sooner, the next turn would get it.
    await pty.until(/reading .* tokens/)
    pty.type('\x1b')
    await pty.until('nothing was changed')
    pty.type('next\r')
    await pty.until('On.')
    expect(
      logged(pty)
        .map(({ text }) => text)
        .join('\n'),
    ).toContain('First answer.')
  })

  it('tells after resuming how full the context is, and what was said meanwhile', async () => {
    const replies = [{ calls: [gate.call] }, { text: `Answer. ${'Many words. '.repeat(4000)}` }]
    const first = await start({ replies })
    first.type('/mode auto\r')
    await first.until(/^auto ·/m)
    first.type('begin\r')
    await first.until('running shell')
    first.type('also this\r')
    await first.until('next: also this')
    gate.open(first)
    await first.until('✓ done', 40_000)
    await first.rest()
    first.type('\x04')
    await first.exit()
    const again = await start({ home: first.home, folder: first.folder, words: ['--continue'], rows: 20 }, 'Resumed')
    await again.until(/context \S+ [2-9]\d %/)
    const lines = again.lines().filter((line) => line.startsWith('› '))
    expect(lines).toEqual(expect.arrayContaining(['› begin', '› also this']))
  })

  it('comes back after it was stopped from outside', async () => {
    const pty = await start({ replies: [{ text: 'Still here.' }] })
    pty.type('draft')
    await pty.until('› draft')
    const taken = (): number => pty.output().split('\x1b[?2004h').length
    const before = taken()
    pty.kill('SIGSTOP')
    pty.kill('SIGCONT')
    // Keys before the terminal is ours again belong to the shell.
    await pty.until(() => taken() > before)
    await pty.until('› draft')
    pty.type(' more\r')
    await pty.until('Still here.')
    await pty.rest()
    expect(pty.lines().filter((line) => line.startsWith('ask ·')).length).toBe(1)
  })
})
