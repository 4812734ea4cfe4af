import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dialectByName, type Message } from '../../../engine/index.ts'
import { calls, malformed, parse, parseAnyhow, render, texts, tool, tools } from './parse.ts'

const fenced = dialectByName('fenced')
const write = (path: string, content: string) => ({ name: 'write', arguments: { path, content } })
const edit = (path: string, before: string, after: string) => ({
  name: 'edit',
  arguments: { path, old: before, new: after },
})
const shell = (command: string) => ({ name: 'shell', arguments: { command } })
const code = 'def f(x):\n    return x + 1\n'
const block = (before: string, after: string) => `<<<<<<< SEARCH\n${before}=======\n${after}>>>>>>> REPLACE`

describe('encoding', () => {
  const system: Message = { role: 'system', text: 'You code.', tools }
  const result = (text: string, ok = true): Message => ({ role: 'tool', callId: 'call_1', name: 'shell', text, ok })

  test('the system turn says how to answer, shortly, from the tools on offer', () => {
    const text = render(fenced, [system, { role: 'user', text: 'go' }])
    expect(text).toMatch(/^<\|im_start\|>system\nYou code\.\n\nTo create a file/)
    expect(text).toMatch(/<\|im_end\|>\n<\|im_start\|>user\ngo<\|im_end\|>\n<\|im_start\|>assistant\n$/)
    // Four characters a token: about 150 tokens at most.
    expect(text.length).toBeLessThan(700)
    const bare = render(fenced, [
      { ...system, tools: [] },
      { role: 'user', text: 'go' },
    ])
    expect(bare).toContain('system\nYou code.<|im_end|>')
    const other = render(fenced, [{ ...system, tools: [tool('ask', { question: 'string' })] }])
    expect(other).toContain('ask(question)')
  })

  test('files, task and results share one turn', () => {
    const text = render(fenced, [
      system,
      { role: 'user', text: 'file' },
      { role: 'user', text: 'task' },
      { role: 'assistant', reasoning: '', text: 'I run it.', calls: [{ id: 'call_1', ...shell('make') }] },
      result('ok'),
      result('no', false),
      { role: 'user', text: 'more' },
    ])
    expect(text).toContain(
      '<|im_start|>user\nfile\n\ntask<|im_end|>\n<|im_start|>assistant\nI run it.\n\n```sh\nmake\n```<|im_end|>\n<|im_start|>user\nResult of shell:\nok\n\nFailed: shell:\nno\n\nmore<|im_end|>',
    )
  })

  test('a reply of another model reads back as the same calls', () => {
    const nested = 'Use:\n```py\nx\n```\n'
    const made = [
      write('a.md', nested),
      edit('b.py', 'a\n', 'b\n'),
      shell('ls'),
      { name: 'read', arguments: { path: 'c' } },
    ]
    const text = render(fenced, [
      {
        role: 'assistant',
        reasoning: 'r',
        text: 'So.',
        calls: made.map((call, id) => ({ id: `call_${id}`, ...call })),
      },
    ])
    const reply = /assistant\n([\s\S]*?)<\|im_end\|>/.exec(text)?.[1] ?? ''
    expect(calls(parseAnyhow(fenced, reply))).toEqual(made)
  })
})

describe('a fence with a path is a file', () => {
  test.each([
    ['plain', `src/x.py\n\`\`\`python\n${code}\`\`\``],
    ['after a blank line', `src/x.py\n\n\`\`\`python\n${code}\`\`\`\n`],
    ['bold', `**src/x.py**\n\`\`\`python\n${code}\`\`\`\n`],
    ['bold with colon', `**src/x.py**:\n\`\`\`python\n${code}\`\`\`\n`],
    ['in backticks', `\`src/x.py\`\n\`\`\`python\n${code}\`\`\`\n`],
    ['a heading', `### src/x.py\n\`\`\`python\n${code}\`\`\`\n`],
    ['a heading with backticks', `### \`src/x.py\`\n\`\`\`python\n${code}\`\`\`\n`],
    ['labelled', `File: src/x.py\n\`\`\`python\n${code}\`\`\`\n`],
    ['labelled in bold', `**File: \`src/x.py\`**\n\`\`\`python\n${code}\`\`\`\n`],
    ['label in bold', `**File:** src/x.py\n\`\`\`python\n${code}\`\`\`\n`],
    ['in a list', `1. \`src/x.py\`:\n   \`\`\`python\n   def f(x):\n       return x + 1\n   \`\`\`\n`],
    ['a comment in the fence', `\`\`\`python\n# src/x.py\n${code}\`\`\`\n`],
    ['a comment and a blank line', `\`\`\`python\n# File: src/x.py\n\n${code}\`\`\`\n`],
    ['after the language', `\`\`\`python src/x.py\n${code}\`\`\`\n`],
    ['after the language with a colon', `\`\`\`python:src/x.py\n${code}\`\`\`\n`],
    ['as a title', `\`\`\`python title="src/x.py"\n${code}\`\`\`\n`],
    ['instead of the language', `\`\`\`src/x.py\n${code}\`\`\`\n`],
    ['with ./', `./src/x.py\n\`\`\`python\n${code}\`\`\`\n`],
    ['tildes', `src/x.py\n~~~python\n${code}~~~\n`],
    ['windows line ends', `src/x.py\r\n\`\`\`python\r\ndef f(x):\r\n    return x + 1\r\n\`\`\`\r\n`],
    ['a fence with nothing but the path before', `\`\`\`\nsrc/x.py\n\`\`\`\n\`\`\`python\n${code}\`\`\`\n`],
  ])('%s', (_, reply) => {
    const events = parseAnyhow(fenced, reply)
    expect(calls(events)).toEqual([write('src/x.py', code)])
    expect(texts(events)).toBe('')
    expect(malformed(events)).toEqual([])
  })

  test('the call is shown as it grows', () => {
    expect(parseAnyhow(fenced, `Sure.\n\nsrc/x.py\n\`\`\`python\n${code}\`\`\`\nDone.`)).toEqual([
      { type: 'text', text: 'Sure.' },
      { type: 'call-start', name: 'write', path: 'src/x.py' },
      { type: 'call-delta', text: code },
      { type: 'call', call: write('src/x.py', code) },
      { type: 'text', text: '\n\nDone.' },
    ])
  })

  test('several files, in order', () => {
    const reply = `a.py\n\`\`\`python\nx = 1\n\`\`\`\n\nb/c.js\n\`\`\`js\nlet x\n\`\`\`\n`
    expect(calls(parseAnyhow(fenced, reply))).toEqual([write('a.py', 'x = 1\n'), write('b/c.js', 'let x\n')])
  })

  test('a name without folder is the one file in play that has it', () => {
    const events = parseAnyhow(fenced, `x.py\n\`\`\`python\n${code}\`\`\``, { files: ['src/x.py', 'src/y.py'] })
    expect(calls(events)).toEqual([write('src/x.py', code)])
  })

  test('a markdown file that holds fences', () => {
    const text = '# Use\n\n```sh\nmake\n```\n\nand\n\n```python\nx\n```\n'
    expect(calls(parseAnyhow(fenced, `README.md\n\`\`\`markdown\n${text}\`\`\`\n`))).toEqual([write('README.md', text)])
    const bare = '# Use\n\n```\nmake\n```\n'
    expect(calls(parseAnyhow(fenced, `README.md\n\`\`\`\`md\n${bare}\`\`\`\`\n`))).toEqual([write('README.md', bare)])
  })

  test('a docstring with an indented fence', () => {
    const text = 'def f():\n    """\n    ```\n    f()\n    ```\n    """\n'
    expect(calls(parseAnyhow(fenced, `x.py\n\`\`\`python\n${text}\`\`\`\n`))).toEqual([write('x.py', text)])
  })

  test.each(['Node.js', 'os.path', 'and/or', 'e.g.', '3.14', 'https://x.org/a.py', 'Use a.py like b.py', 'x.py();'])(
    '"%s" is no path line',
    (line) => {
      const events = parse(fenced, [`${line}\n\`\`\`text\nhello\n\`\`\`\n`])
      expect(calls(events)).toEqual([])
      expect(texts(events)).toContain(line)
    },
  )
})

describe('a fence without a path', () => {
  const reply = `Here it is:\n\n\`\`\`python\n${code}\`\`\`\n`
  test.each([
    ['the only file', ['src/x.py']],
    ['the only one of its language', ['src/x.py', 'README.md', 'a.js']],
  ])('is %s in play', (_, files) => {
    expect(calls(parseAnyhow(fenced, reply, { files }))).toEqual([write('src/x.py', code)])
  })

  test.each([
    ['nothing is in play', []],
    ['two fit', ['a.py', 'b.py']],
    ['the only one is of another language', ['a.js']],
  ])('is malformed when %s', (_, files) => {
    const events = parseAnyhow(fenced, reply, { files })
    expect(calls(events)).toEqual([])
    expect(malformed(events)).toEqual([expect.stringContaining('path alone on the line before the fence')])
    expect(texts(events)).toContain(code.trim())
  })

  test('is the file that the sentence before it speaks of', () => {
    const files = ['src/a.py', 'src/b.py']
    const named = `This is the corrected \`b.py\`:\n\n\`\`\`python\n${code}\`\`\`\n`
    expect(calls(parseAnyhow(fenced, named, { files }))).toEqual([write('src/b.py', code)])
  })

  test('the longest counts; a usage example is no second file', () => {
    const use = '```python\nprint(f(1))\n```\n'
    const files = ['x.py']
    expect(calls(parseAnyhow(fenced, `${reply}\nUse it so:\n\n${use}`, { files }))).toEqual([write('x.py', code)])
    expect(calls(parseAnyhow(fenced, `The line is:\n${use}\n${reply}`, { files }))).toEqual([write('x.py', code)])
    const run = '```sh\npython x.py\n```\n'
    expect(calls(parseAnyhow(fenced, `${reply}\n${run}\n${use}`, { files }))).toEqual([
      write('x.py', code),
      shell('python x.py'),
    ])
  })

  test('nothing is placed by guess when the file is named too', () => {
    const events = parseAnyhow(fenced, `\`\`\`python\nf(1)\n\`\`\`\n\nx.py\n\`\`\`python\n${code}\`\`\``, {
      files: ['x.py'],
    })
    expect(calls(events)).toEqual([write('x.py', code)])
  })

  test('output, and anything where no write is on offer, is text', () => {
    const output = '```text\nok 1\n```'
    expect(parseAnyhow(fenced, output, { files: ['x.py'] })).toEqual([{ type: 'text', text: output }])
    expect(parseAnyhow(fenced, reply, { files: ['x.py'], tools: [] })).toEqual([{ type: 'text', text: reply.trim() }])
  })

  test('a diff is asked for again in another form', () => {
    const diff = '```diff\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n```\n'
    for (const text of [diff, `x.py\n${diff}`]) {
      expect(malformed(parse(fenced, [text], { files: ['x.py'] }))).toEqual([expect.stringContaining('diff')])
    }
  })
})

describe('commands and other calls', () => {
  test.each([
    ['sh', 'python -m pytest', 'python -m pytest'],
    ['bash', 'cd a\nmake', 'cd a\nmake'],
    ['console', '$ make\nok\n$ make test\n', 'make\nmake test'],
    ['shell', './run.sh', './run.sh'],
  ])('a %s fence is a command', (language, content, command) => {
    expect(calls(parseAnyhow(fenced, `Run:\n\`\`\`${language}\n${content}\n\`\`\`\n`))).toEqual([shell(command)])
  })

  test('not without a shell on offer, not of comments alone, not of a script', () => {
    const text = '```sh\nmake\n```'
    expect(parseAnyhow(fenced, text, { tools: tools.slice(0, 5) })).toEqual([{ type: 'text', text }])
    expect(calls(parseAnyhow(fenced, '```sh\n# nothing\n```'))).toEqual([])
    const script = '#!/bin/sh\nmake\n'
    const events = parseAnyhow(fenced, `\`\`\`sh\n${script}\`\`\``, { files: ['run.sh', 'a.py'] })
    expect(calls(events)).toEqual([write('run.sh', script)])
    expect(calls(parseAnyhow(fenced, `run.sh\n\`\`\`sh\n${script}\`\`\``))).toEqual([write('run.sh', script)])
  })

  test('a fence named like a tool that takes one text', () => {
    expect(calls(parseAnyhow(fenced, '```read\nsrc/x.py\n```\n```search\ndef f\n```'))).toEqual([
      { name: 'read', arguments: { path: 'src/x.py' } },
      { name: 'search', arguments: { pattern: 'def f' } },
    ])
  })

  const json = '{"name": "read", "arguments": {"path": "a.py"}}'
  test.each([
    ['a json fence', `\`\`\`json\n${json}\n\`\`\``],
    ['a fence without language', `\`\`\`\n${json}\n\`\`\``],
    ['a tag', `I read.\n<tool_call>\n${json}\n</tool_call>`],
    ['a tag on one line', `<tool_call>${json}</tool_call>`],
    ['a tag without end', `<tool_call>\n${json}`],
    ['a bare object', json],
    ['a bare object over lines', `Now:\n{\n  "name": "read",\n  "arguments": {"path": "a.py"}\n}\n`],
  ])('%s is a call', (_, text) => {
    expect(calls(parseAnyhow(fenced, text))).toEqual([{ name: 'read', arguments: { path: 'a.py' } }])
  })

  test('json that is no call is a file or text', () => {
    const file = '{"name": "x", "version": "1"}\n'
    const events = parseAnyhow(fenced, `\`\`\`json\n${file}\`\`\``, { files: ['package.json', 'a.js'] })
    expect(calls(events)).toEqual([write('package.json', file)])
    expect(parseAnyhow(fenced, '{x} is a set')).toEqual([{ type: 'text', text: '{x} is a set' }])
  })

  test('thinking is reasoning', () => {
    const events = parseAnyhow(fenced, `<think>\nhm\n\`\`\`sh\nrm x\n\`\`\`\n</think>\nx.py\n\`\`\`py\nx\n\`\`\``)
    expect(texts(events, 'reasoning')).toBe('hm\n```sh\nrm x\n```')
    expect(calls(events)).toEqual([write('x.py', 'x\n')])
  })
})

describe('SEARCH/REPLACE blocks', () => {
  test.each([
    ['outside of a fence', `x.py\n${block('a\n', 'b\n')}\n`],
    ['in a fence', `x.py\n\`\`\`python\n${block('a\n', 'b\n')}\n\`\`\`\n`],
    ['with the path in the fence', `\`\`\`python\nx.py\n${block('a\n', 'b\n')}\n\`\`\`\n`],
    ['with the path as a comment', `\`\`\`python\n# x.py\n${block('a\n', 'b\n')}\n\`\`\`\n`],
    ['with the path after SEARCH', '<<<<<<< SEARCH x.py\na\n=======\nb\n>>>>>>> REPLACE'],
    ['with shorter marks', 'x.py\n<<<<< SEARCH\na\n=====\nb\n>>>>> REPLACE'],
    ['in a sh fence', `\`\`\`sh\nx.py\n${block('a\n', 'b\n')}\n\`\`\``],
    [
      'in an indented fence',
      `x.py\n  \`\`\`python\n  <<<<<<< SEARCH\n  a\n  =======\n  b\n  >>>>>>> REPLACE\n  \`\`\``,
    ],
  ])('%s', (_, reply) => {
    const events = parseAnyhow(fenced, reply)
    expect(calls(events)).toEqual([edit('x.py', 'a\n', 'b\n')])
    expect(malformed(events)).toEqual([])
  })

  test('the one file in play needs no name', () => {
    expect(calls(parseAnyhow(fenced, block('a\n', 'b\n'), { files: ['x.py'] }))).toEqual([edit('x.py', 'a\n', 'b\n')])
  })

  test('deleting, and fences inside', () => {
    expect(calls(parseAnyhow(fenced, `x.md\n${block('```\na\n```\n', '')}`))).toEqual([
      edit('x.md', '```\na\n```\n', ''),
    ])
  })

  test.each([
    ['no divider', 'x.py\n<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n', /no =======/],
    ['two dividers', `x.py\n${block('T\n=======\n', 'U\n')}\n`, /more than one =======/],
    ['no name', block('a\n', 'b\n'), /names no file/],
    ['no end', 'x.py\n<<<<<<< SEARCH\na\n=======\nb\n', /ended inside a SEARCH/],
    ['no head', 'x.py\n```python\na\n=======\nb\n>>>>>>> REPLACE\n```\n', /begins with a <<<<<<< SEARCH/],
    ['no end before the next', `x.py\n<<<<<<< SEARCH\na\n=======\nb\n${block('c\n', 'd\n')}`, /before this one/],
  ])('%s is malformed', (_, reply, problem) => {
    const events = parseAnyhow(fenced, reply)
    expect(malformed(events)).toEqual([expect.stringMatching(problem)])
    expect(calls(events).filter((call) => JSON.stringify(call).includes('a\\n'))).toEqual([])
  })
})

describe('a fence that is opened twice', () => {
  test.each([
    ['closed once', '```lib/x.py\n```python\nx = 1\n```\n\nThis should do.\n'],
    ['closed twice', '```lib/x.py\n```python\nx = 1\n```\n```\n\nThis should do.\n'],
    ['with four marks', 'lib/x.py\n````\n```python\nx = 1\n```\n````\nThis should do.'],
    ['after an empty line', 'lib/x.py\n```\n\n```python\nx = 1\n```\n'],
    ['after a path below the marks', 'Corrected:\n\n```python\nlib/x.py\n```python\nx = 1\n```\n\nThis should do.\n'],
    ['after a path in a comment, closed twice', '```python\n# lib/x.py\n\n```python\nx = 1\n```\n```\nThis should do.'],
  ])('%s: one file', (_, reply) => {
    const events = parseAnyhow(fenced, reply, { files: ['lib/x.py'] })
    expect(calls(events)).toEqual([write('lib/x.py', 'x = 1\n')])
    expect(malformed(events)).toEqual([])
  })

  test('is content where markdown begins so, and after the first word of a file', () => {
    const shown = '```py\nx\n```\n'
    expect(calls(parseAnyhow(fenced, `x.md\n\`\`\`\n${shown}\`\`\`\n`))).toEqual([write('x.md', shown)])
    const text = `"""Say:\n${shown}"""\n`
    expect(calls(parseAnyhow(fenced, `x.py\n\`\`\`python\n${text}\`\`\`\n`))).toEqual([write('x.py', text)])
  })
})

describe('a reply that was cut', () => {
  test.each([
    ['a file', 'x.py\n```python\nhalf'],
    ['a file after its first line', 'x.py\n```python\n'],
    ['a file without path', '```python\ndef f():\n'],
    ['a command', '```sh\nrm -rf build'],
    ['a nested fence', 'x.md\n```md\n```py\nx\n```\n'],
    ['a call', '<tool_call>\n{"name": "write", "arguments": {"path": "a", "content": "half'],
    ['a bare call', '{"name": "write", "arguments": {"path": "a", "content": "half'],
  ])('%s is malformed and not done', (_, reply) => {
    const events = parseAnyhow(fenced, reply, { files: ['x.py'] })
    expect(calls(events)).toEqual([])
    expect(malformed(events)).toHaveLength(1)
  })

  test('what was whole before is done', () => {
    const events = parseAnyhow(fenced, `a.py\n\`\`\`py\nx\n\`\`\`\nb.py\n\`\`\`py\ny`)
    expect(calls(events)).toEqual([write('a.py', 'x\n')])
    expect(malformed(events)).toHaveLength(1)
  })
})

interface Case {
  readonly id: string
  readonly tier: 'must' | 'lenient'
  readonly text: string
  readonly expected_blocks?: readonly (readonly [string, string, string])[]
  readonly expected_count?: number
  readonly expect_error?: string
}
const file = new URL('../../fixtures/edits/aider-blocks.json', import.meta.url)
const { cases }: { readonly cases: readonly Case[] } = JSON.parse(readFileSync(file, 'utf8'))

describe("aider's blocks", () => {
  test.each(cases)('$id ($tier)', ({ text, expected_blocks, expected_count, expect_error }) => {
    const events = parseAnyhow(fenced, text)
    const blocks = calls(events).map(({ name, arguments: input }) => {
      expect(name).toBe('edit')
      return Object.values(input as Record<string, string>)
    })
    if (expect_error !== undefined) {
      expect(blocks).toEqual([])
      expect(malformed(events)).toHaveLength(1)
    } else {
      expect(malformed(events)).toEqual([])
      if (expected_blocks !== undefined) expect(blocks).toEqual(expected_blocks)
      else expect(blocks).toHaveLength(expected_count ?? -1)
    }
  })
})

test('any chunks give the same events, and nothing throws', () => {
  const part = fc.constantFrom(
    '```',
    '````',
    '```python\n',
    '```sh\n',
    '```json\n',
    '~~~',
    '\n',
    '\n\n',
    'x.py',
    '# x.py\n',
    '**x.py**:\n',
    '<<<<<<< SEARCH\n',
    '=======\n',
    '>>>>>>> REPLACE\n',
    '<tool_call>',
    '</tool_call>',
    '{"name": "read", "arguments": {"path": "a"}}',
    '{',
    '}',
    '"',
    '<think>',
    '</think>',
    'a',
    ' ',
    '\r\n',
    '$ make\n',
    'one two three four five six seven eight nine ten ',
    '🐋',
  )
  const files = fc.constantFrom([], ['x.py'], ['x.py', 'y.py'])
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 16 }),
      fc.array(fc.nat(30), { maxLength: 8 }),
      files,
      (parts, cuts, files) => {
        const text = parts.join('')
        const chunks: string[] = []
        let at = 0
        for (const length of cuts) {
          chunks.push(text.slice(at, at + length))
          at += length
        }
        chunks.push(text.slice(at))
        expect(parse(fenced, chunks, { files })).toEqual(parse(fenced, [text], { files }))
      },
    ),
    { numRuns: 5_000 },
  )
})

test('a fence of four marks that a reply ends with three is closed; one inside that is still open is not', () => {
  const inner = '/**\n\t```\n\tf()\n\t```\n*/\n'
  const read = (text: string) => parse(fenced, [text], { files: ['x.ts'] })
  expect(calls(read(`\`\`\`\`ts\n${inner}\`\`\``))).toEqual([write('x.ts', inner)])
  expect(calls(read(`x.ts\n\`\`\`\`ts\n${inner}\`\`\`\n\n`))).toEqual([write('x.ts', inner)])
  expect(calls(read('x.ts\n````ts\n/**\n```\nf()\n```'))).toEqual([])
})
