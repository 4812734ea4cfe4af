/** A reply that would not end by itself is cut early, told, and asked for again. */
import { expect, test } from 'vitest'
import { collect, stage, text } from './support.ts'

const small = { finishes: 'edits', prompt: 'small', dialect: 'fenced' } as const
const table = `zeros = [\n${'    0, 0, 0, 0,\n'.repeat(200)}]\n`
const fenced = (content: string) => ({ raw: `a.py\n\`\`\`python\n${content}\n\`\`\`\n` })
const around = '    if number[0] == "1":\n        return "one"\n'.repeat(100)

async function perform(replies: Parameters<typeof stage>[0], files: Record<string, string>, info = small) {
  const at = await stage(replies, { files, info })
  const events = await collect(at.session.send('Change f in a.py so that it returns 2'))
  const last = events.at(-1)
  const written = events.flatMap((event) => (event.type === 'call-delta' ? [event.text] : [])).join('')
  const circles = events.filter((event) => event.type === 'notice' && event.text.includes('in circles')).length
  return { at, circles, written, exit: last?.type === 'result' ? last.exit : undefined }
}

const files = { 'a.py': 'def f():\n    return 1\n' }
const right = 'def f():\n    return 2'

test.each([
  ['the same lines', `def f():\n${around}`],
  ['the same in one line', `def f(x):\n    return x${'.replace("-", "")'.repeat(300)}`],
  ['a line without an end', `ALL = [${Array.from({ length: 2000 }, (_, i) => i * i).join(', ')}]`],
])('%s: cut, and tried again', async (_, endless) => {
  const { at, circles, written, exit } = await perform([fenced(endless), fenced(right)], files)
  expect({ circles, exit }).toEqual({ circles: 1, exit: 'done' })
  expect(written.length).toBeLessThan(3000)
  expect(text(at.root, 'a.py')).toBe(`${right}\n`)
})

test('what the file holds may be written again, and long texts that say other things', async () => {
  const held = `${files['a.py']}${table}`
  const again = await perform([fenced(held.trimEnd().replace('return 1', 'return 2'))], { 'a.py': held })
  expect(again).toMatchObject({ circles: 0, exit: 'done' })
  expect(text(again.at.root, 'a.py')).toBe(held.replace('return 1', 'return 2'))
  const many = Array.from({ length: 300 }, (_, i) => `def g${i}():\n    return ${i}`).join('\n')
  expect(await perform([fenced(`${right}\n${many}`)], files)).toMatchObject({ circles: 0, exit: 'done' })
})

test('a larger model may say the same again and again: it was asked to', async () => {
  const at = await stage([{ text: 'Many words. '.repeat(1000) }])
  const events = await collect(at.session.send('Say "Many words." a thousand times'))
  expect(events.at(-1)).toMatchObject({ type: 'result', exit: 'done', text: 'Many words. '.repeat(1000).trim() })
})
