/**
 * Landlock, for machines that refuse user namespaces: only when the user asks for it in words, never as root, and clearly
 * weaker. It cannot take `.git` or a secret out of what it opened, hides neither sockets with a name nor processes, and
 * ends no daemon. A small Node program restricts itself and becomes the command (`process.execve`).
 */
import { createRequire } from 'node:module'
import { commandEnvironment } from '../environment.ts'
import { realPath } from '../policy.ts'
import { COMMAND_MARK } from '../process.ts'
import type { SpawnPlan } from '../spawn-plan.ts'
import { type Policy, SandboxError, type SandboxProblem } from '../types.ts'
import { CLOSE_INHERITED } from './plan.ts'
import { seccompFilter } from './seccomp.ts'

/** Devices that programs write to; /dev as a whole stays closed. */
const DEVICES = ['/dev/null', '/dev/zero', '/dev/full', '/dev/tty', '/dev/ptmx', '/dev/pts']

/**
 * landlock_create_ruleset 444, landlock_add_rule 445, landlock_restrict_self 446 on every architecture; access bits,
 * structs and what each ABI adds: linux/landlock.h and Documentation/userspace-api/landlock.rst (ABI 1 to 7).
 * Arguments: path of koffi, then a JSON description.
 */
const LAUNCHER = `
const koffi = require(process.argv[1]); const fs = require('node:fs')
const { write, filter, file, args } = JSON.parse(process.argv[2])
const libc = koffi.load(null)
const create = libc.func('long syscall(long, void *, long, long)')
const add = libc.func('long syscall(long, long, long, void *, long)')
const plain = libc.func('long syscall(long, long, long)')
const prctl = libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)')
const prctlPointer = libc.func('int prctl(int, unsigned long, void *)')
const fail = (what) => { console.error('landlock: ' + what); process.exit(125) }
const abi = Number(create(444, null, 0, 1))
if (abi < 1) fail('this kernel has none')
let all = (1n << 13n) - 1n
if (abi >= 2) all |= 1n << 13n
if (abi >= 3) all |= 1n << 14n
if (abi >= 5) all |= 1n << 15n
const rules = Buffer.alloc(24)
rules.writeBigUInt64LE(all, 0)
if (abi >= 4) rules.writeBigUInt64LE(3n, 8)
if (abi >= 6) rules.writeBigUInt64LE(3n, 16)
const set = Number(create(444, rules, abi >= 6 ? 24 : abi >= 4 ? 16 : 8, 0))
if (set < 0) fail('no rule set')
const FILES = 1n | 2n | 4n | 1n << 14n | 1n << 15n
const allow = (path, access) => {
  let fd
  try { fd = fs.openSync(path, 0o10000000 | 0o2000000) } catch { return }
  if (!fs.fstatSync(fd).isDirectory()) access &= FILES
  const rule = Buffer.alloc(12)
  rule.writeBigUInt64LE(access & all, 0); rule.writeInt32LE(fd, 8)
  if (Number(add(445, set, 1, rule, 0)) !== 0) fail('cannot open ' + path)
  fs.closeSync(fd)
}
allow('/', 1n | 4n | 8n)
for (const path of write) allow(path, all & ~(1n << 6n | 1n << 11n))
if (prctl(38, 1, 0, 0, 0) !== 0) fail('no_new_privs')
if (Number(plain(446, set, 0)) !== 0) fail('cannot restrict')
const program = Buffer.from(filter, 'base64')
const header = Buffer.alloc(16)
header.writeUInt16LE(program.length / 8, 0); header.writeBigUInt64LE(BigInt(koffi.address(program)), 8)
if (prctlPointer(22, 2, header) !== 0) fail('seccomp')
process.execve(file, [file, ...args], process.env)
`

/** The plan of one command. Throws SandboxError where koffi is not installed. */
export function landlockPlan(
  line: string,
  cwd: string,
  policy: Policy,
  found: {
    readonly env: Readonly<Record<string, string | undefined>>
    readonly bash: string
    readonly temporary: string
  },
  mark: string,
): SpawnPlan {
  const { env, bash, temporary } = found
  const { variables } = commandEnvironment({ from: env, pass: policy.passEnv, temporary, sandbox: 'landlock' })
  const opened = policy.mode === 'read-only' ? [] : [...policy.roots, ...policy.extraWrite]
  const write = [...opened, temporary, ...DEVICES].map((each) => realPath(each) ?? each)
  const filter = seccompFilter({ network: policy.network === 'full' ? 'isolated' : 'deny' }).toString('base64')
  const args = ['--norc', '-c', `${CLOSE_INHERITED}; exec ${bash} --norc -c "$1"`, 'bash', line]
  const description = JSON.stringify({ write, filter, file: bash, args })
  return {
    file: process.execPath,
    args: ['--no-warnings', '-e', LAUNCHER, '--', koffiFile(), description],
    env: { ...variables, [COMMAND_MARK]: mark },
    cwd,
    input: [],
    tree: 'group',
  }
}

function koffiFile(): string {
  try {
    return createRequire(import.meta.url).resolve('koffi')
  } catch {
    throw new SandboxError('missing', 'Landlock needs the package koffi, which is not installed.')
  }
}

/** Why Landlock is not to be used here, before anything is tried. */
export function landlockProblem(uid: number | undefined = process.geteuid?.()): SandboxProblem | undefined {
  if (process.platform !== 'linux') return { kind: 'platform', message: 'Landlock is a part of Linux.' }
  if (uid !== 0) return undefined
  return {
    kind: 'platform',
    message:
      "No sandbox: Landlock does not hold root back from other processes' memory and environment. " +
      'Run as a normal user, or use bubblewrap.',
  }
}
