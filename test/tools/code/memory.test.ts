/** What the grammars take: each is a program of a megabyte, and V8 makes much more of it if it may. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const script = `
import { openCode } from ${JSON.stringify(join(import.meta.dirname, '../../../tools/code/open.ts'))}
const code = openCode()
const texts = {
  'a.cpp': 'namespace n { class A : public B { public: int f(int a) const { return a + 1; } }; }\\n',
  'a.tsx': 'export function View({ a }: Props) { const b = a.map((x) => x + 1); return <b>{b}</b> }\\n',
  'a.cs': 'namespace N { public class A { public int F(int a) { return a * 2; } } }\\n',
  'a.rs': 'impl<T> S<T> { pub fn f(&self) -> i32 { self.a.iter().map(|x| x + 1).sum() } }\\n',
  'a.sh': 'f() { if [ -z "$1" ]; then echo "no $x"; fi; }\\n',
}
for (const [path, text] of Object.entries(texts))
  for (let n = 0; n < 3; n += 1) await code.outline(path, text.repeat(700) + ' '.repeat(n))
await code.close()
console.log(Math.round(process.resourceUsage().maxRSS / 1024))
`

test('five languages take as much memory as one program may', () => {
  const megabytes = Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }))
  expect(megabytes).toBeLessThan(250)
}, 60_000)
