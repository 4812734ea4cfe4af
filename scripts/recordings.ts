/**
 * `npm run recordings [-- --only undo]`: the interface as it looks, in docs/recordings.md. The built program runs on a
 * pseudo-terminal with a screen emulator; what is shown are the emulator's rows, nothing is retouched but folder names and
 * times. A script stands for the model, so that a recording can be made again; with CACHALOT_REAL_MODEL (a .gguf file) the
 * interruption while the prompt is read is that model's.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openPty, type Pty, type PtyOptions } from '../test/e2e/tui/pty.ts'

interface Recording {
  readonly name: string
  readonly title: string
  /** Plays it; `shot` keeps the screen, with a line that says what was just done. */
  readonly play: (open: (options?: PtyOptions) => Pty, shot: (pty: Pty, done: string) => void) => Promise<void>
}

const size = { columns: 100, rows: 32 } as const
const files = {
  'src/slug.ts':
    "/** A title as the last part of an address. */\nexport function slug(title: string): string {\n  return title.toLowerCase().replace(' ', '-')\n}\n",
  'README.md': '# slugs\n',
}
const edit = {
  name: 'edit',
  arguments: { path: 'src/slug.ts', old: "replace(' ', '-')", new: "replace(/\\s+/g, '-')" },
}
const look = {
  reasoning: 'replace with a string takes the first match only.',
  text: 'Only the first space is replaced, so `slug("a b c")` gives `a-b c`. A pattern with the `g` flag replaces them all:',
  calls: [edit],
  chunkMs: 2,
}
const words = { text: 'Every run of spaces is **one** dash now.' }
/** Questions take no key in their first moment. */
const grace = (): Promise<void> => sleep(500)
const done = async (pty: Pty): Promise<void> => {
  await pty.until('✓ done')
  await pty.until(() => !pty.screen().some((line) => line.includes('Esc interrupts')))
}
const ready = async (pty: Pty): Promise<void> => {
  await pty.until('/help lists')
  await pty.until('Sandbox:')
  await pty.until(/ask · \S+ ·/)
}

const recordings: readonly Recording[] = [
  {
    name: 'first start',
    title: 'First start in a folder that is not trusted yet',
    async play(open, shot) {
      const pty = open({ trusted: false, files, replies: [] })
      await pty.until('Trust this folder?')
      await pty.until('Do you trust')
      shot(pty, 'cachalot')
      pty.type('\r')
      await ready(pty)
      shot(pty, 'Enter: yes')
    },
  },
  {
    name: 'approval',
    title: 'An edit with approval',
    async play(open, shot) {
      const pty = open({ files, replies: [look, words] })
      await ready(pty)
      pty.type('slug("a b c") gives "a-b c". Fix it')
      await pty.until('Fix it')
      pty.type('\r')
      await pty.until('Allow this?')
      shot(pty, 'Enter; the model thinks, explains, and wants to edit')
      await grace()
      pty.type('y')
      await done(pty)
      shot(pty, 'y')
    },
  },
  {
    name: 'steering',
    title: 'Steering: words for the next tool boundary, and for after the turn',
    async play(open, shot) {
      const test = { name: 'shell', arguments: { command: 'for n in 1 2 3; do echo test $n ok; sleep 1; done' } }
      const pty = open({
        files,
        replies: [
          { text: 'I run the tests first.', calls: [test] },
          { text: 'Right, dashes at the ends go too.' },
          { text: 'Written.' },
        ],
      })
      await ready(pty)
      pty.type('/mode auto\r')
      await pty.until(/^auto ·/m)
      pty.type('Is slug tested?\r')
      await pty.until('test 1 ok')
      pty.type('and no dash at the ends, please\r')
      await pty.until('next: and no dash')
      pty.type('then write it into the README\x1b\r')
      await pty.until('after: then write')
      shot(pty, 'while the command runs: Enter for the next tool boundary, Alt-Enter for after the turn')
      await pty.until('Written.')
      await pty.until(() => pty.screen().filter((line) => line.includes('✓ done')).length === 2)
      shot(pty, 'both were heard, each at its time')
    },
  },
  {
    name: 'escape',
    title: 'Esc while the prompt is read',
    async play(open, shot) {
      const real = process.env['CACHALOT_REAL_MODEL']
      const long = Object.fromEntries(
        Array.from({ length: 8 }, (_, n) => [`src/part${n}.ts`, files['src/slug.ts'].repeat(20)]),
      )
      const pty = open({
        files: { ...files, ...long },
        replies: [{ text: 'never', delayMs: 60_000 }],
        ...(real === undefined ? {} : { environment: { CACHALOT_MODEL: real } }),
      })
      await pty.until('/help lists')
      await pty.until('Sandbox:')
      pty.type(`Compare ${Object.keys(long).join(', ')}\r`)
      await pty.until(real === undefined ? 'reading' : /reading .* [1-9][\d,]* of/, 120_000)
      pty.type('my next thought')
      await pty.until('› my next thought')
      shot(pty, 'the prompt is being read; the next message is being written')
      const began = performance.now()
      pty.type('\x1b')
      await pty.until('■ interrupted')
      shot(pty, `Esc: interrupted after ${Math.round(performance.now() - began)} ms, the draft is still there`)
    },
  },
  {
    name: 'undo',
    title: 'Undo',
    async play(open, shot) {
      const pty = open({ files, replies: [look, words] })
      await ready(pty)
      pty.type('/mode auto-edit\r')
      await pty.until(/^auto-edit ·/m)
      pty.type('slug("a b c") gives "a-b c". Fix it\r')
      await done(pty)
      pty.type('/undo\r')
      await pty.until('Taken back')
      if (readFileSync(join(pty.folder, 'src/slug.ts'), 'utf8') !== files['src/slug.ts']) throw new Error('not undone')
      shot(pty, '/undo')
      pty.type('/redo\r')
      await pty.until('again')
      shot(pty, '/redo')
    },
  },
  {
    name: 'resume',
    title: 'Resume',
    async play(open, shot) {
      const first = open({ files, replies: [look, words] })
      await ready(first)
      first.type('/mode auto-edit\r')
      await first.until(/^auto-edit ·/m)
      first.type('slug("a b c") gives "a-b c". Fix it\r')
      await done(first)
      first.type('/rename spaces in slugs\r')
      await first.until('named spaces')
      first.type('\x04')
      await first.exit()
      const again = open({ home: first.home, folder: first.folder, words: ['--resume'], replies: [words] })
      await again.until('Resume (type to search)')
      shot(again, 'cachalot --resume')
      again.type('\r')
      await again.until('Resumed')
      shot(again, 'Enter: the end of the conversation, and how full its context is')
    },
  },
]

const { values: flags } = parseArgs({ options: { only: { type: 'string' } } })
const parts: string[] = []
for (const { name, title, play } of recordings) {
  if (flags.only !== undefined && flags.only !== name) continue
  const open: Pty[] = []
  const shots: string[] = []
  const shot = (pty: Pty, done: string): void => {
    const rows = pty.lines().slice(-size.rows)
    const text = rows.join('\n').replaceAll(pty.folder, '~/slugs').trimEnd()
    shots.push(`${done}\n\n\`\`\`\`\n${text}\n\`\`\`\`\n`)
  }
  try {
    await play((options) => {
      const pty = openPty({ ...size, ...options })
      open.push(pty)
      return pty
    }, shot)
  } finally {
    for (const pty of open.toReversed()) pty.dispose()
  }
  parts.push(`## ${title}\n\n${shots.join('\n')}`)
  process.stdout.write(`${name}: ${shots.length} screens\n`)
}
const head = `# Recordings

The interface as text, made by \`npm run recordings\` from the built program on a pseudo-terminal of ${size.columns} × ${size.rows} cells. Colours are left
out; nothing else is retouched but the folder's name. A script stands for the model, but for the interruption, where it is a
real one (CACHALOT_REAL_MODEL).
`
const file = join(import.meta.dirname, '..', 'docs', 'recordings.md')
if (flags.only === undefined) writeFileSync(file, `${head}\n${parts.join('\n')}`)
else process.stdout.write(parts.join('\n'))
