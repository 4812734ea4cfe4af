/** The grammars of calls: what they say is read as valid calls, and what dialects write is said by them. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { type CallGrammar, dialectByName, dialects, type ToolSpec } from '../../../engine/index.ts'
import { allTools, toolSchema } from '../../../tools/index.ts'
import { readGbnf, readsOf, sayGbnf } from './gbnf.ts'
import { calls, malformed, parse, render, texts } from './parse.ts'

const foreign: ToolSpec = {
  name: 'mcp_make-it.so',
  description: 'Of another program.',
  parameters: {
    type: 'object',
    properties: {
      kind: { enum: ['a b', 'c"d'] },
      count: { type: ['integer', 'null'] },
      deep: {
        type: 'object',
        properties: {
          list: { type: 'array', items: { type: 'number' } },
          on: { const: true },
          text: { type: 'string' },
        },
        required: ['on'],
      },
      either: { anyOf: [{ type: 'boolean' }, { type: 'array', items: { type: 'string' } }] },
    },
    required: ['kind', 'deep'],
  },
}
const specs: readonly ToolSpec[] = [
  ...allTools.map((tool) => ({ name: tool.name, description: '', parameters: toolSchema(tool) })),
  foreign,
]
const names = Object.keys(dialects)

function grammarOf(name: string): CallGrammar {
  const grammar = dialectByName(name).calls?.(specs)
  if (grammar === undefined) throw new Error(`${name} has no grammar`)
  return grammar
}

/** What a reply says before a grammar holds: a text that each trigger matches. */
const openings: Readonly<Record<string, readonly string[]>> = {
  harmony: [' to=functions.', '<|channel|>commentary to=functions.'],
  gemma: ['<|tool_call>'],
  'deepseek-v4.1': ['<｜DSML｜ calls>'],
  'deepseek-v3.2': ['<｜DSML｜function_calls>'],
  glm: ['<tool_call>'],
  'qwen-xml': ['<tool_call>', '\n<function='],
  'qwen-xml-coder': ['<tool_call>', '\n<function='],
  qwen: ['<tool_call>', '{"name": "read", "arguments":', '```json\n{\n  "name": "edit", "arguments":'],
}
const openingsOf = (name: string): readonly string[] =>
  openings[name] ?? (name === 'fenced' ? (openings['qwen'] ?? []) : ['<｜DSML｜tool_calls>'])

function triggerOf(grammar: CallGrammar, said: string) {
  return grammar.triggers.find(({ after }) => new RegExp(`(?:${after})$`).test(said))
}

describe.each(names)('%s', (name) => {
  const dialect = dialectByName(name, { effort: name === 'harmony' ? 'low' : 'off' })
  const grammar = grammarOf(name)
  const rules = readGbnf(grammar.gbnf)

  test('whatever the grammar says is read as calls that the schema takes', () => {
    const check = (opening: string, choices: readonly number[]) => {
      const trigger = triggerOf(grammar, opening)
      expect(trigger, opening).toBeDefined()
      let next = 0
      const choose = (below: number) => {
        const choice = choices[next % choices.length] ?? 0
        next += 1
        return (choice + Math.floor(next / choices.length)) % below
      }
      const said = opening + sayGbnf(rules, trigger?.root ?? '', choose)
      // Whoever says a message's header to the end says what ends the message, too.
      const events = parse(dialect, [name === 'harmony' ? `${said}<|call|>` : said], { tools: specs })
      expect(malformed(events), said).toEqual([])
      expect(calls(events).length, said).toBeGreaterThan(0)
      expect(texts(events).trim(), said).toBe('')
      for (const call of calls(events)) {
        const spec = specs.find((tool) => tool.name === call.name)
        const told = z.fromJSONSchema((spec ?? foreign).parameters as z.core.JSONSchema.JSONSchema)
        // What else a tool asks for is not in the schema that a model is told; of `edit` the grammar knows that, too.
        const schema = call.name === 'edit' ? (allTools.find((tool) => tool.name === 'edit')?.input ?? told) : told
        expect(spec, said).toBeDefined()
        // An empty patch or path is well formed, and refused by the tool with its own words.
        const blank = call.name === 'edit' && /"(?:path|patch)":""/.test(JSON.stringify(call.arguments))
        if (!blank) expect(schema.safeParse(call.arguments).error?.issues, said).toBeUndefined()
      }
    }
    const opening = fc.constantFrom(...openingsOf(name))
    const choices = fc.array(fc.nat(1000), { minLength: 40, maxLength: 200 })
    fc.assert(fc.property(opening, choices, check), { numRuns: 150 })
  }, 60_000)

  test('the grammar says what the dialect itself writes', () => {
    const given = [
      { name: 'read', arguments: { path: 'src/ü.ts', from: 3 } },
      { name: 'edit', arguments: { path: 'a.html', old: '<p a="b">\n\t{"x": [1]}\n</p>', new: '' } },
      { name: 'write', arguments: { path: 'a', content: '🐋 </div>\n"quoted"\\ < / ｜ \n' } },
      { name: 'git', arguments: { verb: 'log', args: ['-n', '1'] } },
      { name: 'list', arguments: {} },
      { name: foreign.name, arguments: { kind: 'c"d', deep: { on: true, list: [1, 2.5] }, count: null } },
    ]
    for (const call of given) {
      const reply = { role: 'assistant' as const, reasoning: '', text: '', calls: [{ id: '1', ...call }] }
      const user = { role: 'user' as const, text: 'go' }
      const whole = render(dialect, [user, reply])
      const marks = name === 'fenced' ? ['"arguments":'] : ['to=functions.', ...openingsOf(name).slice(0, 1)]
      const mark = marks.find((mark) => whole.includes(mark))
      // Files and commands are written as fences there.
      if (mark === undefined && name === 'fenced') continue
      const at = whole.indexOf(mark ?? '') + (mark ?? '').length
      const trigger = triggerOf(grammar, whole.slice(0, at))
      expect(trigger, whole).toBeDefined()
      // gemma-values.ts writes null as the template does; its grammar has JSON's word.
      const rest = whole.slice(at).replace('count:None', 'count:null')
      expect(readsOf(rules, trigger?.root ?? '', rest).size, rest).toBeGreaterThan(0)
    }
  })
})

test('a tag in quotes is talked about', () => {
  expect(triggerOf(grammarOf('qwen'), 'Write `<tool_call>')).toBeUndefined()
  expect(triggerOf(grammarOf('deepseek-v4'), 'Write "<｜DSML｜tool_calls>')).toBeUndefined()
})

test('no grammar without tools, nor for names that it cannot hold', () => {
  for (const name of names) {
    expect(dialectByName(name).calls?.([])).toBeUndefined()
    expect(dialectByName(name).calls?.([{ ...foreign, name: 'say "hi"' }])).toBeUndefined()
  }
})
