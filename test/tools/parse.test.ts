import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allTools, parseCall, toolSchema } from '../../tools/index.ts'

const parse = (name: string, args: unknown) => parseCall(allTools, name, args)

describe('parseCall', () => {
  test('gives the tool, its input and the effects', () => {
    expect(parse('read', { path: 'a.ts', from: 2 })).toMatchObject({
      ok: true,
      tool: { name: 'read' },
      input: { path: 'a.ts', from: 2 },
      effects: [{ kind: 'read', path: 'a.ts' }],
    })
  })
  test('an edit that is a patch tells every path it writes', () => {
    const patch =
      '*** Begin Patch\n*** Update File: a\n*** Move to: b\n*** Delete File: c\n*** Add File: d\n+x\n*** End Patch'
    expect(parse('edit', { patch })).toMatchObject({
      ok: true,
      effects: ['a', 'b', 'c', 'd'].map((path) => ({ kind: 'write', path })),
    })
    expect(parse('edit', { patch: 'nonsense' })).toMatchObject({ ok: true, effects: [] })
  })
  test('spellings of other agents are understood where they cannot mean anything else', () => {
    expect(parse('edit', { file_path: 'a', old_string: 'x', newText: 'y', replace_all: 'true' })).toMatchObject({
      input: { path: 'a', old: 'x', new: 'y', all: true },
    })
    expect(parse('shell', { cmd: 'ls', timeout: '5' })).toMatchObject({ input: { command: 'ls', timeout: 5 } })
    expect(parse('write', { path: 'a', filename: 'b', content: 'c' })).toMatchObject({ input: { path: 'a' } })
  })
  test('unused arguments as null or empty text are as if left out', () => {
    expect(parse('read', { path: 'a', from: null, to: null })).toMatchObject({ ok: true, input: { path: 'a' } })
    expect(parse('edit', { path: 'a', old: 'x', new: 'y', all: null, patch: '' })).toMatchObject({ ok: true })
  })
  test('arguments as JSON text are read', () => {
    expect(parse('read', '{"path": "a"}')).toMatchObject({ ok: true, input: { path: 'a' } })
  })
  test.each([
    ['reed', {}, 'unknown-tool', 'There is no tool "reed". Did you mean read? The tools are: read, edit,'],
    ['factorial', {}, 'unknown-tool', 'There is no tool "factorial". The tools are:'],
    ['read', {}, 'bad-arguments', 'read: argument path is missing (string). It takes path, from (optional)'],
    ['read', { path: 7 }, 'bad-arguments', 'read: argument path must be of type string.'],
    ['read', { path: 'a', from: 'x' }, 'bad-arguments', 'read: argument from must be of type integer.'],
    [
      'edit',
      { path: 'a', new: 'x' },
      'bad-arguments',
      'edit needs path, old (exact text of the file) and new; or patch',
    ],
    ['edit', { path: 'a', old: 'x', new: 'y', patch: 'z' }, 'bad-arguments', 'edit needs path, old'],
    ['list', 'src', 'bad-arguments', 'list takes a JSON object with path (optional), depth (optional).'],
    ['list', [], 'bad-arguments', 'list takes a JSON object'],
  ])('%s %j: %s', (name, args, reason, problem) => {
    const parsed = parse(name, args)
    expect(parsed).toMatchObject({ ok: false, reason })
    expect(parsed.ok ? '' : parsed.problem).toContain(problem)
  })
  test('nothing that a model writes makes it throw, or reaches a prototype', () => {
    const names = fc.constantFrom(...allTools.map((tool) => tool.name), '__proto__', 'constructor', '')
    const keys = fc.constantFrom('path', 'old', 'new', 'patch', '__proto__', 'constructor', 'toString', 'from', 'cmd')
    fc.assert(
      fc.property(names, fc.oneof(fc.anything(), fc.dictionary(keys, fc.anything())), (name, args) => {
        const parsed = parse(name, args)
        expect(typeof parsed.ok).toBe('boolean')
      }),
      { numRuns: 1000 },
    )
    expect(parse('list', JSON.parse('{"__proto__": {"path": "x"}, "constructor": 1}'))).toMatchObject({ input: {} })
  })
})

describe('toolSchema', () => {
  test('is as small as it can be', () => {
    expect(toolSchema(allTools.find((tool) => tool.name === 'read')!)).toEqual({
      type: 'object',
      properties: {
        path: { type: 'string' },
        from: { type: 'integer', description: 'first line, from 1' },
        to: { type: 'integer', description: 'last line' },
      },
      required: ['path'],
    })
  })
  test('all tools together stay under 1,040 tokens (1,300 with the prompt), estimated at 3.5 characters each', () => {
    const specs = allTools.map((tool) => ({
      name: tool.name,
      description: tool.description,
      parameters: toolSchema(tool),
    }))
    expect(JSON.stringify(specs).length / 3.5).toBeLessThan(1040)
  })
})
