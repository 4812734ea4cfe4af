/** A long file is shown to a small model in part, and what it writes again of that goes into its place. */
import { expect, test } from 'vitest'
import { excerptFor, isLong, splice } from '../../../agent/context/excerpt.ts'
import { perform, stage, text } from '../support.ts'

const member = (name: string, value: string) =>
  `  /**\n   * What ${name} is for.\n   *\n   * @default ${value}\n   */\n  readonly ${name}?: string\n`
const names = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta', 'iota', 'kappa', 'lambda', 'mu']
const long = `export interface Options {\n${names.flatMap((name) => [member(name, '1'), member(`${name}Twice`, '2')]).join('\n')}}\n`
const task = 'In a.d.ts the documented default of theta is wrong: change it to 7.'

test('the excerpt holds what the task names, whole blocks of it, and tells where it stands', () => {
  const found = excerptFor(task, 'a.d.ts', long)
  expect(isLong(long, 100)).toBe(true)
  expect(found?.text).toContain(member('theta', '1'))
  expect(found?.text.startsWith('  /**\n')).toBe(true)
  expect(found?.text.split('\n').length).toBeLessThan(75)
  expect(
    long
      .split('\n')
      .slice(found!.from - 1, found!.to)
      .join('\n'),
  ).toBe(found?.text)
  expect(excerptFor('In a.d.ts: x', 'a.d.ts', long)).toBeUndefined()
  expect(excerptFor('See a.d.ts:100', 'a.d.ts', long)).toMatchObject({ total: long.trimEnd().split('\n').length })
  expect(excerptFor('theta', 'a.d.ts', member('theta', '1'))).toBeUndefined()
})

test('only the excerpt again goes into its place, and only where that is one', () => {
  const part = excerptFor(task, 'a.d.ts', long)!.text
  const answer = part.replace(member('theta', '1'), member('theta', '7'))
  expect(splice(long, part, `\n${answer}\n\n`)).toBe(long.replace(member('theta', '1'), member('theta', '7')))
  // The last bracket is that of the lines after it.
  const top = excerptFor('alpha', 'a.d.ts', long)!.text
  expect(top).toMatch(/^export interface Options \{/)
  expect(splice(long, top, `${top}\n}\n`)).toBe(long)
  expect(splice(long, part, member('theta', '7'))).toBeUndefined()
  expect(splice(long, part, long)).toBeUndefined()
  expect(splice(long + long, part, answer)).toBeUndefined()
})

test('an answer that is only the function below what the excerpt begins with does not take its place', () => {
  const end = [
    '    for word in words:',
    '        if word:',
    '            kept.append(word)',
    "    return ' '.join(kept)",
  ]
  const body = Array.from({ length: 12 }, (_, i) => `    step_${i}(text)`)
  const below = ['def clean(text):', ...body, '    return text']
  const before = ['def cut(words):', '    kept = []', ...end, '', '', ...below, ''].join('\n')
  const part = [...end, '', '', ...below].join('\n')
  const answer = below.join('\n').replace('step_3(text)', 'step_3(text, 16)')
  expect(splice(before, part, answer)).toBeUndefined()
  expect(splice(before, part, [...end, '', '', answer].join('\n'))).toBe(
    before.replace('step_3(text)', 'step_3(text, 16)'),
  )
  // A remark that was written anew is no code.
  const remarked = `# Cleans.\n${below.join('\n')}`
  expect(splice(`${'x = 1\n'.repeat(99)}\n${remarked}\n`, remarked, `# Makes it clean.\n${answer}`)).toContain(
    '# Makes it clean.\n',
  )
})

const info = { finishes: 'edits', prompt: 'small', dialect: 'fenced' } as const

test('a small model is shown the part and writes it again: the rest stays, byte for byte', async () => {
  const answer = (from: string) => from.replace(member('theta', '1'), member('theta', '7'))
  const at = await stage(
    (messages) => {
      const asked = messages.findLast(({ role }) => role === 'user')?.text ?? ''
      const part = /```typescript\n([\s\S]*?)\n```/.exec(asked)?.[1] ?? ''
      return { raw: `Here it is:\n\n\`\`\`typescript\n${answer(part)}\n\`\`\`\n` }
    },
    { files: { 'a.d.ts': long }, info },
  )
  expect(await perform(at, task)).toMatchObject({ exit: 'done', steps: 1 })
  expect(text(at.root, 'a.d.ts')).toBe(answer(long))
  expect(JSON.stringify(at.model.requests[0]?.messages)).toMatch(/a\.d\.ts, lines \d+–\d+ of \d+; write these again/)
})

test('a piece of the part is not put in the place of all of it', async () => {
  const at = await stage([{ raw: `\`\`\`typescript\n${member('theta', '7')}\`\`\`\n` }], {
    files: { 'a.d.ts': long },
    info,
    tries: 1,
    limits: { steps: 1, tokens: 100_000, seconds: 60 },
  })
  expect((await perform(at, task)).exit).not.toBe('done')
  expect(text(at.root, 'a.d.ts')).toBe(long)
})
