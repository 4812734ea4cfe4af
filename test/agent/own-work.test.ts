/** What the model wrote itself, and is wrong, it is asked to write anew without being shown it: known by the records of undo. */
import { expect, test } from 'vitest'
import type { ScriptedReply } from '../../engine/index.ts'
import { has, performNoticed, put, type Stage, scratch, stage, text } from './support.ts'

const python = test.runIf(has('python3'))
const small = { finishes: 'edits', prompt: 'small' } as const
const stub = 'def double(x):\n    """Says it twice."""\n    pass\n'
const body = (lines: string): string => stub.replace('    pass\n', `    ${lines}\n`)
const writes = (content: string): ScriptedReply => ({
  calls: [{ name: 'write', arguments: { path: 'a.py', content } }],
})
const first = 'Complete double in a.py.'
const second = 'The code is written already, but this fails:\n\ndouble(3) -> 6\n\nCorrect a.py.'
const fresh = 'written by the model itself, and is wrong (examples)'

/** One program after another in the same folder, as a user starts them. */
const again = (at: Stage, replies: readonly ScriptedReply[]): Promise<Stage> =>
  stage(replies, { root: at.root, stateFolder: at.state, info: small })

const requests = ({ model }: Stage): string[] => model.requests.map(({ messages }) => JSON.stringify(messages))

python('a later program asks the model to write its own wrong work anew', async () => {
  const at = await stage([writes(body('return x + 2'))], { files: { 'a.py': stub }, info: small })
  expect(await performNoticed(at, first)).toMatchObject({ exit: 'done' })
  const later = await again(at, [writes(body('return x * 2'))])
  const result = await performNoticed(later, second)
  expect(result).toMatchObject({ exit: 'done', steps: 1 })
  expect(result.notices.join()).toContain(fresh)
  expect(text(at.root, 'a.py')).toBe(body('return x * 2'))
  const [request] = requests(later)
  expect(request).not.toContain('x + 2')
  expect(request).toContain('The code that stood here was wrong: examples: double(3) should give 6, but gives 5')
})

python('over several programs it is still its own', async () => {
  const at = await stage([writes(body('return x + 2'))], { files: { 'a.py': stub }, info: small })
  await performNoticed(at, first)
  const wrong = await again(at, [writes(body('return x + 4'))])
  await performNoticed(wrong, 'Add four in a.py, not two.')
  expect(text(at.root, 'a.py')).toBe(body('return x + 4'))
  const later = await again(at, [writes(body('return x * 2'))])
  expect((await performNoticed(later, second)).notices.join()).toContain(fresh)
})

python.each([
  ['somebody has changed it since', (at: Stage) => put(at.root, { 'a.py': body('return x  + 2') })],
  [
    'it wrote little of it',
    (at: Stage) => put(at.root, { 'a.py': body('x = x\n    y = x\n    z = y\n    return z + 2') }),
  ],
])('%s: the model is shown what stands', async (name, change) => {
  const at = await stage([writes(body('return x + 2'))], { files: { 'a.py': stub }, info: small })
  await performNoticed(at, first)
  change(at)
  if (name.startsWith('it wrote')) {
    const touched = await again(at, [writes(text(at.root, 'a.py').replace('z + 2', 'z + 1'))])
    await performNoticed(touched, 'Make it z + 1 in a.py.')
  }
  const stands = text(at.root, 'a.py')
  const later = await again(at, [writes(body('return x * 2'))])
  const result = await performNoticed(later, second)
  expect(result.notices.join()).not.toContain(fresh)
  expect(requests(later)[0]).toContain(JSON.stringify(stands).slice(1, -1))
  expect(text(at.root, 'a.py')).toBe(body('return x * 2'))
})

python('own work with somebody’s file beside it, or too long to be written again for one fault, is shown', async () => {
  const rest = Array.from({ length: 80 }, (_, index) => `y${index} = ${index}\n`).join('')
  const at = await stage([writes(rest + body('return x + 2'))], { files: { 'a.py': stub }, info: small })
  await performNoticed(at, first)
  const long = await again(at, [writes(rest + body('return x * 2'))])
  expect((await performNoticed(long, second)).notices.join()).not.toContain(fresh)
  expect(requests(long)[0]).toContain('return x + 2')

  const beside = await stage([writes(body('return x + 2'))], {
    files: { 'a.py': stub, 'b.py': 'b = 1\n' },
    info: small,
  })
  await performNoticed(beside, first)
  const both = await again(beside, [writes(body('return x * 2'))])
  expect((await performNoticed(both, `${second} See b.py.`)).notices.join()).not.toContain(fresh)
  expect(requests(both)[0]).toContain('return x + 2')
})

python('records that cannot be read are no reason to stop', async () => {
  const at = await stage([writes(body('return x + 2'))], { files: { 'a.py': stub }, info: small })
  await performNoticed(at, first)
  const state = scratch()
  const later = await stage([writes(body('return x * 2'))], { root: at.root, stateFolder: state, info: small })
  expect(await performNoticed(later, second)).toMatchObject({ exit: 'done' })
  expect(requests(later)[0]).toContain('return x + 2')
})
