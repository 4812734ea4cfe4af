/** The terminal as a place: left as it was found, never obeying what we did not write, quiet where colours or eyes are missing. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openPty, type Pty, type PtyOptions } from './pty.ts'

let open: Pty[] = []
afterEach(() => {
  for (const one of open.toReversed()) one.dispose()
  open = []
})

async function start(options: PtyOptions = {}, ready = '/help lists'): Promise<Pty> {
  const pty = openPty({ replies: [], ...options })
  open.push(pty)
  await pty.until(ready)
  return pty
}

/** Modes that are on at the end, by the last word on each. */
function modesLeft(output: string): string[] {
  const last = new Map<string, string>()
  for (const [, mode = '', way = ''] of output.matchAll(/\x1b\[\?(\d+)([hl])/g)) last.set(mode, way)
  const left = [...last].filter(([mode, way]) => (mode === '25' ? way === 'l' : way === 'h')).map(([mode]) => mode)
  const kitty = (output.match(/\x1b\[>1u/g)?.length ?? 0) - (output.match(/\x1b\[<u/g)?.length ?? 0)
  const titles = (output.match(/\x1b\[22;0t/g)?.length ?? 0) - (output.match(/\x1b\[23;0t/g)?.length ?? 0)
  return [...left, ...(kitty === 0 ? [] : ['kitty']), ...(titles === 0 ? [] : ['title'])]
}

describe('the end', () => {
  for (const [how, code] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`${how} in mid-turn gives the terminal back`, async () => {
      const pty = await start({ replies: [{ text: 'x', delayMs: 60_000 }] })
      pty.type('go\r')
      await pty.until('reading')
      pty.kill(how)
      expect(await pty.exit()).toBe(code)
      expect(modesLeft(pty.output())).toEqual([])
    })
  }

  it('Ctrl-C twice quits, and what was written is kept in the history', async () => {
    const pty = await start()
    pty.type('half a thought')
    await pty.until('› half a thought')
    pty.type('\x03')
    await pty.until('Ctrl-C again quits')
    pty.type('\x1b[A')
    await pty.until('› half a thought')
    pty.type('\x03\x03')
    expect(await pty.exit()).toBe(0)
    expect(modesLeft(pty.output())).toEqual([])
    expect(pty.screen().join('\n')).not.toContain('context')
  })

  it('a crash gives the terminal back and tells what happened', async () => {
    const pty = await start({ environment: { NODE_OPTIONS: `--import=${crashOn('SIGUSR2')}` } })
    pty.kill('SIGUSR2')
    expect(await pty.exit()).not.toBe(0)
    expect(modesLeft(pty.output())).toEqual([])
    expect(pty.lines().join('\n')).toContain('made to crash')
  })
})

/** A module that throws, uncaught, when the signal comes. */
function crashOn(signal: string): string {
  const source = `process.on('${signal}', () => { setImmediate(() => { throw new Error('made to crash') }) })`
  return `data:text/javascript,${encodeURIComponent(source)}`
}

describe('what we did not write', () => {
  it('is shown, not obeyed: from the model, files, commands and names', async () => {
    const hostile = '\x1b]0;PWNED\x07\x1b[2J\x1b[31mred\x9b5n\u202eabc\x1bP1$r\x1b\\'
    const pty = await start({
      files: { 'a.txt': hostile },
      replies: [
        {
          reasoning: hostile,
          text: hostile,
          calls: [
            { name: 'shell', arguments: { command: 'cat a.txt' } },
            { name: 'read', arguments: { path: hostile } },
            { name: hostile, arguments: {} },
          ],
        },
        { text: '✓ end' },
      ],
    })
    pty.type('/mode auto\r')
    await pty.until(/^auto/m)
    pty.type('go\r')
    await pty.until('✓ end')
    const output = pty.output()
    expect(output).not.toContain('PWNED\x07')
    expect(output).not.toMatch(/\x1b\[2J|\x9b|\x1bP|\u202e/)
    expect(pty.lines().join('\n')).toContain('␛]0;PWNED')
  })
})

describe('looks', () => {
  it('NO_COLOR: no colours, and nothing is said by colour alone', async () => {
    const replies = [{ text: '# Title\n\n`code`\n\n```ts\nconst a = 1\n```\n' }]
    const pty = await start({ replies, environment: { NO_COLOR: '1' } })
    pty.type('go\r')
    await pty.until('✓ done')
    expect(pty.output()).not.toMatch(/\x1b\[[\d;]*\b(3[0-8]|9[0-7]|4[0-8])(;|m)/)
  })

  it('16 colours where the terminal has no more', async () => {
    const pty = await start({ environment: { TERM: 'xterm', COLORTERM: '' } })
    await pty.until(() => /\x1b\[36m/.test(pty.output()))
    await pty.rest()
    expect(pty.output()).not.toMatch(/38;[25];/)
  })

  it('a screen reader gets plain lines without moving marks', async () => {
    const pty = await start({ replies: [{ text: 'Hello there.' }], environment: { INK_SCREEN_READER: 'true' } })
    pty.type('go\r')
    await pty.until('Hello there.')
    await pty.until('✓ done')
    expect(pty.output()).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/)
  })

  it('has a title, and rings when a turn needs the user who looks away', async () => {
    const call = { name: 'shell', arguments: { command: 'true' } }
    const pty = await start({ replies: [{ calls: [call] }, { text: 'x' }] })
    await pty.until(() => /\x1b\]0;[^\x07]*Cachalot\x07/.test(pty.output()))
    pty.type('\x1b[O')
    pty.type('go\r')
    await pty.until('Allow this?')
    await pty.until(() => /\x1b\]9;[^\x07]*permission\x07\x07/.test(pty.output()))
  })
})

describe('writing', () => {
  it('folds a big paste, sends it whole; wide and right-to-left text keep their places', async () => {
    const pty = await start({ replies: [{ text: 'Got it.' }] })
    const pasted = Array.from({ length: 30 }, (_, n) => `pasted line ${n}`).join('\n')
    pty.type('世界 👨‍👩‍👧 שלום ')
    pty.type(`\x1b[200~${pasted}\x1b[201~`)
    await pty.until('[paste 1: 30 lines]')
    pty.type('end\r')
    await pty.until('Got it.')
    expect(pty.lines().join('\n')).toContain('pasted line 29end')
    expect(pty.lines().join('\n')).toContain('世界')
  })

  it('searches what was sent before, in this session and earlier ones, but keeps no secrets', async () => {
    const pty = await start({ replies: [{ text: 'One.' }, { text: 'Two.' }] })
    pty.type('look for whales\r')
    await pty.until('One.')
    await pty.rest()
    pty.type('password=hunter2secret\r')
    await pty.until('Two.')
    await pty.rest()
    pty.type('\x04')
    await pty.exit()
    expect(readFileSync(join(pty.home, 'state', 'history.jsonl'), 'utf8')).toBe('"look for whales"\n')
    const again = await start({ home: pty.home, folder: pty.folder })
    again.type('\x12')
    await again.until('search:')
    again.type('wha')
    await again.until('look for whales')
    again.type('\r')
    await again.until('› look for whales')
  })

  it('takes a draft to the editor of the user and back', async () => {
    const pty = openPty({ replies: [] })
    open.push(pty)
    pty.dispose()
    const editor = join(pty.home, 'editor.sh')
    mkdirSync(pty.home, { recursive: true })
    writeFileSync(editor, '#!/bin/sh\necho EDITOR HERE\nprintf " and more" >> "$1"\n')
    chmodSync(editor, 0o755)
    const folder = join(pty.home, 'work')
    mkdirSync(folder)
    const one = await start({ home: pty.home, folder, environment: { VISUAL: editor } })
    await one.until('Sandbox:')
    one.type('draft')
    await one.until('› draft')
    one.type('\x07')
    await one.until('› draft and more')
    expect(one.lines().filter((line) => line.startsWith('ask ·')).length).toBe(1)
    one.type('\x15')
    await one.until(/^› *$/m)
    // What changes on the screen when the editor opens must not be drawn over what is above.
    const status = one.lines().findIndex((line) => line.startsWith('ask ·'))
    const above = one.lines().slice(0, status - 1)
    one.type('/memory\r')
    await one.until('AGENTS.md is read when a session begins')
    expect(one.lines().slice(0, above.length)).toEqual(above)
    expect(one.lines().filter((line) => line.startsWith('ask ·')).length).toBe(1)
  })

  it('vim keys: normal mode moves and changes, insert mode writes, Enter sends from both', async () => {
    const pty = await start({ replies: [{ text: 'Read.' }, { text: 'Again.' }], environment: { CACHALOT_KEYS: 'vim' } })
    pty.type('one two three')
    await pty.until('› one two three')
    pty.type('\x1b')
    await pty.until(': one two three')
    pty.type('bdw')
    await pty.until(/: one two *$/m)
    pty.type('0cwuno')
    await pty.until('› uno two')
    pty.type('\x1b')
    await pty.until(': uno two')
    pty.type('uu')
    await pty.until(': one two')
    pty.type('A!\r')
    await pty.until('Read.')
    expect(pty.lines().join('\n')).toMatch(/› one two ?!/)
    await pty.rest()
    pty.type('next\x1b')
    await pty.until(': next')
    pty.type('\r')
    await pty.until('Again.')
  })

  it('the status line is the one that was configured', async () => {
    const pty = await start({ environment: { CACHALOT_STATUS: 'model,folder' } })
    await pty.until(/^ask · scripted · \//m)
    expect(pty.screen().join('\n')).not.toContain('context')
  })

  it('names the nearest command, runs commands that the user wrote, completes them', async () => {
    const pty = await start({
      files: { '.cachalot/commands/greet.md': '---\ndescription: Say hello\n---\nGreet $ARGUMENTS kindly.\n' },
      replies: [{ text: 'Hello!' }],
    })
    pty.type('/hlep\r')
    await pty.until('Did you mean /help?')
    // Letters of a name in their order are a guess, too: only the arrows make it a choice.
    pty.type('/qit\r')
    await pty.until('Did you mean /quit?')
    pty.type('/hlp')
    await pty.until('❯ /help')
    pty.type('\x1b[B\x1b[A\r')
    await pty.until('all commands, one line each')
    pty.type('/gre')
    await pty.until('Say hello')
    pty.type('\tBob\r')
    await pty.until('Hello!')
    expect(pty.lines().join('\n')).toContain('› Greet Bob kindly.')
    pty.type('/help\r')
    await pty.until('/greet')
  })
})
