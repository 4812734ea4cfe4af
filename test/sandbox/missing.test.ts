/** Machines on which no command can be confined: nothing runs, and the message names the fix. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { openSandbox } from '../../sandbox/index.ts'
import * as binary from '../../sandbox/linux/binary.ts'
import { policyFor } from './support/agent.ts'

const base = realpathSync(mkdtempSync(path.join(tmpdir(), 'missing-')))
afterAll(() => rmSync(base, { recursive: true }))

/** A bwrap that answers like the real one would on such a machine. What the machine has is not looked for. */
function machineWith(
  name: string,
  bwrap: string | undefined,
): { env: Record<string, string>; roots: string[]; work: string } {
  const place = path.join(base, name)
  const work = path.join(place, 'work')
  mkdirSync(path.join(place, 'bin'), { recursive: true })
  mkdirSync(work)
  if (bwrap !== undefined) {
    writeFileSync(path.join(place, 'bin/bwrap'), `#!/bin/sh\n${bwrap}\n`)
    chmodSync(path.join(place, 'bin/bwrap'), 0o755)
  }
  const found = path.join(place, 'bin/bwrap')
  vi.spyOn(binary, 'findProgram').mockImplementation((program) =>
    program === 'bash' ? '/bin/bash' : bwrap === undefined ? undefined : found,
  )
  return { env: { PATH: '/usr/bin:/bin', HOME: place }, roots: [work], work }
}

test.each([
  ['none', undefined, 'missing', /sudo apt-get install -y bubblewrap/],
  [
    'refused',
    '[ "$1" = --help ] && exit; echo "bwrap: No permissions to create new namespace" >&2; exit 1',
    'no-namespaces',
    /external/,
  ],
  [
    'no-proc',
    '[ "$1" = --help ] && exit; echo "bwrap: Can\'t mount proc on /newroot/proc" >&2; exit 1',
    'no-proc',
    /external/,
  ],
  ['broken', 'exit 127', 'self-test', /does not start/],
])('%s: a problem, no command runs', async (name, bwrap, kind, message) => {
  const { env, roots, work } = machineWith(name, bwrap)
  const sandbox = await openSandbox({ env, roots })
  expect(sandbox.problem).toMatchObject({ kind, message: expect.stringMatching(message) })
  expect(sandbox.guarantees).toEqual([])
  const options = {
    policy: policyFor(work),
    limits: { seconds: 5, outputBytes: 1000 },
    signal: new AbortController().signal,
  }
  await expect(sandbox.run({ line: 'touch ran', cwd: work }, options)).rejects.toMatchObject({
    name: 'SandboxError',
    kind,
    message: sandbox.problem?.message,
  })
  expect(existsSync(path.join(work, 'ran'))).toBe(false)
})

test('a bwrap that only pretends is found out by looking at what a command can do', async () => {
  // Runs the command after `--` as it is, and reports as bwrap does.
  const pretend = [
    '[ "$1" = --help ] && exit',
    'cat <&3 >/dev/null; echo "{ \\"child-pid\\": $$ }" >&4',
    'while [ "$1" != -- ]; do [ "$1" = --chdir ] && cd "$2"; shift; done; shift',
    '"$@"; echo "{ \\"exit-code\\": $? }" >&4',
  ].join('\n')
  const { env, roots } = machineWith('pretend', pretend)
  const sandbox = await openSandbox({ env, roots })
  expect(sandbox.problem?.kind).toBe('self-test')
  expect(sandbox.problem?.message).toMatch(/does not hold: .*home folder read-only \(open\)/)
  expect(sandbox.problem?.message).toMatch(/system call filter \(0\)/)
  // What it wrote by way of trying is taken away again.
  expect(existsSync(path.join(base, 'pretend/.cachalot-self-test'))).toBe(false)
})
