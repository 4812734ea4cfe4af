/** Machines on which no command can be confined: nothing runs, and the message names the fix. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, onTestFinished, test, vi } from 'vitest'
import { openSandbox } from '../../sandbox/index.ts'
import * as binary from '../../sandbox/linux/binary.ts'
import { makePlace, policyFor, problemOfAgent, users } from './support/agent.ts'

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
  vi.spyOn(binary, 'findProgram').mockImplementation((program) => {
    if (program !== 'bwrap') return `/usr/bin/${program}`
    return bwrap === undefined ? undefined : found
  })
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

/** Machines made by the kernel itself: what the real bubblewrap says there becomes the right problem. */
const NAMESPACES = ['unshare', '--user', '--map-root-user', '--mount', '--']
const shell = (line: string): string[] => ['sh', '-c', `${line}; exec "$@"`, 'sh']
test.each([
  [
    'no-namespaces',
    'user namespaces are used up',
    [...NAMESPACES, ...shell('echo 0 >/proc/sys/user/max_user_namespaces')],
    /--security-opt seccomp=unconfined/,
  ],
  [
    'no-proc',
    'a container hides parts of /proc',
    [...NAMESPACES, ...shell('mount --bind /dev/null /proc/keys')],
    /external/,
  ],
  [
    'root-without-caps',
    'root has not all its rights',
    ['setpriv', '--bounding-set', '-setfcap', '--inh-caps', '-all', '--ambient-caps', '-all', '--'],
    /CAP_SETFCAP/,
  ],
] as const)('%s: %s', async (kind, _, wrapper, message) => {
  // Rights can only be taken from root.
  if (kind === 'root-without-caps' && process.geteuid?.() !== 0) return
  const place = makePlace(users[0]!)
  const problem = await problemOfAgent({ user: users[0]!, home: place.home, roots: [place.work], wrapper })
  place.remove()
  // Without bubblewrap it is missing on such a machine too; where it is required, another test has failed for that.
  if (problem?.kind === 'missing') return
  expect(problem).toMatchObject({ kind, message: expect.stringMatching(message) })
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

test('a home folder in /tmp that holds the temporary folder is safe: what commands write there goes no farther', async () => {
  vi.restoreAllMocks()
  const home = path.join(base, 'home-in-tmp')
  const work = path.join(home, 'work')
  for (const folder of [work, path.join(home, 'tmp')]) mkdirSync(folder, { recursive: true })
  vi.stubEnv('TMPDIR', path.join(home, 'tmp'))
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  const sandbox = await openSandbox({ env: { PATH: '/usr/bin:/bin', HOME: home }, roots: [work] })
  // Where it is required and missing, another test has failed for that.
  if (sandbox.problem?.kind === 'missing') return
  expect(sandbox.problem).toBeUndefined()
  const options = {
    ...{ policy: policyFor(work), limits: { seconds: 5, outputBytes: 1000 } },
    signal: new AbortController().signal,
  }
  await sandbox.run({ line: `echo x > ${home}/stray; echo x > inside`, cwd: work }, options)
  expect(existsSync(path.join(home, 'stray'))).toBe(false)
  expect(existsSync(path.join(work, 'inside'))).toBe(true)
})
