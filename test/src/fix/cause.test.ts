import { expect, test } from 'vitest'
import { causeOf } from '../../../src/fix/cause.ts'

const said = (text: string) => ({ text, changes: [{ path: 'calc.js', kind: 'changed' as const, diff: '' }] })
const small = `The mistake is that \`add\` subtracts.

Here is the corrected file:

\`\`\`js
export const add = (a, b) => a + b

const unused = 0
\`\`\`

After this the check should pass.`

test('the cause is the last paragraph where it was asked for there, else the first that explains', () => {
  expect(causeOf(said('I looked.\n\nThe sign\nwas wrong.'), true)).toBe('The sign was wrong.')
  expect(causeOf(said(small), false)).toBe('The mistake is that `add` subtracts.')
  expect(causeOf(said(`Here it is:\n\n${small}`), false)).toBe('The mistake is that `add` subtracts.')
})

test('a run without words has no cause', () => {
  expect(causeOf(said('calc.js: changed'), true)).toBe('')
  expect(causeOf(said('```js\ncode\n```'), false)).toBe('')
})
