/** Whether bubblewrap works here: asked by running one real command in the full profile and looking at what it can do. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { commandEnvironment } from '../environment.ts'
import { isInside, realPath, strictPolicy } from '../policy.ts'
import { runPlan } from '../process.ts'
import type { SessionFolder } from '../session-folder.ts'
import type { SandboxProblem } from '../types.ts'
import { findProgram } from './binary.ts'
import { hiddenFolders, type Machine } from './bwrap.ts'
import { secretMasks } from './masks.ts'
import { bwrapPlan, type Programs } from './plan.ts'
import { INSTALL_BWRAP, problemOf } from './problems.ts'
import { architectures } from './syscalls.ts'

/** One thing that the self-test looked at. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  /** What was seen, for `doctor`. */
  readonly seen: string
}

export type Probe =
  | { readonly ok: true; readonly programs: Programs; readonly machine: Machine; readonly checks: readonly Check[] }
  | { readonly ok: false; readonly problem: SandboxProblem; readonly checks: readonly Check[] }

/** Finds bwrap and tries it. `roots` are folders in which no program is looked for. Does not throw. */
export async function probeBwrap(
  roots: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  folder: SessionFolder,
): Promise<Probe> {
  const failed = (kind: SandboxProblem['kind'], message: string, checks: readonly Check[] = []): Probe => ({
    ok: false,
    problem: { kind, message },
    checks,
  })
  if (architectures[process.arch] === undefined) {
    return failed('platform', `No sandbox: there is no system call filter for ${process.arch} machines yet.`)
  }
  const bwrap = findProgram('bwrap', env['PATH'] ?? '', roots)
  if (bwrap === undefined) return failed('missing', INSTALL_BWRAP)
  const bash = findProgram('bash', env['PATH'] ?? '', roots)
  if (bash === undefined)
    return failed('missing', 'No sandbox: bash is not installed. Run: sudo apt-get install -y bash')
  const programs = { bwrap, bash }
  try {
    const help = await promisify(execFile)(bwrap, ['--help'])
    const home = env['HOME'] ?? homedir()
    const machine: Machine = {
      home,
      hidden: hiddenFolders(home),
      root: process.geteuid?.() === 0,
      disableUserns: help.stdout.includes('--disable-userns'),
      session: folder.path,
    }
    return await selfTest(programs, machine, folder)
  } catch (error) {
    return failed('self-test', `No sandbox: ${bwrap} does not start: ${error instanceof Error ? error.message : error}`)
  }
}

/** What the self-test tries to write in the home folder. */
const TRACE = '.cachalot-self-test'
const SELF_TEST_LIMITS = { seconds: 20, outputBytes: 65_536 }

async function selfTest(programs: Programs, real: Machine, folder: SessionFolder): Promise<Probe> {
  // A folder of its own: what commands left in their /tmp must not be touched, nor change what is seen here.
  const session = await mkdtemp(path.join(folder.path, 'self-test-'))
  const workTree = path.join(session, 'work')
  const machine = { ...real, session }
  try {
    for (const name of ['work', 'tmp']) mkdirSync(path.join(session, name))
    rmSync(path.join(machine.home, TRACE), { force: true })
    writeFileSync(path.join(session, 'empty'), '')
    const policy = strictPolicy(workTree)
    const environment = commandEnvironment({
      from: { PATH: process.env['PATH'], HOME: machine.home },
      pass: [],
      temporary: '/tmp',
      sandbox: 'bwrap',
    })
    const secret = secretMasks(machine.home, []).find((mask) => mask.kind === 'folder')?.path
    const line = script(machine.home, secret)
    const plan = bwrapPlan({ line }, workTree, policy, environment, machine, programs)
    const end = await runPlan(plan, folder, { limits: SELF_TEST_LIMITS, signal: new AbortController().signal })
    if (end.misplaced !== undefined) {
      const message = `No sandbox: bubblewrap mounts what it was not asked for: ${end.misplaced}. Commands will not run.`
      return { ok: false, problem: { kind: 'self-test', message }, checks: [] }
    }
    if (!end.started) return { ok: false, problem: problemOf(end.output), checks: [] }
    const checks = [...readChecks(end.output, machine), { name: 'mounts as asked for', ok: true, seen: 'all' }]
    checks.push({ name: 'work tree writable', ok: existsSync(path.join(workTree, 'written')), seen: workTree })
    const missed = checks.filter((check) => !check.ok)
    if (missed.length === 0) return { ok: true, programs, machine: real, checks }
    const list = missed.map((check) => `${check.name} (${check.seen})`).join(', ')
    const message = `No sandbox: bubblewrap runs but does not hold: ${list}. Commands will not run; \`cachalot doctor\` shows all checks.`
    return { ok: false, problem: { kind: 'self-test', message }, checks }
  } finally {
    rmSync(session, { recursive: true, force: true })
    // Where the box did not hold, the attempt to write to the home folder left an empty file there.
    rmSync(path.join(machine.home, TRACE), { force: true })
  }
}

/** What must be seen, by the label that the script prints. */
const EXPECTED: readonly { readonly label: string; readonly name: string; readonly ok: (seen: string) => boolean }[] = [
  { label: 'home', name: 'home folder read-only', ok: (seen) => seen === 'refused' },
  { label: 'sysctl', name: '/proc/sys read-only', ok: (seen) => seen === 'refused' },
  { label: 'CapEff', name: 'no capabilities', ok: (seen) => /^0+$/.test(seen) },
  { label: 'NoNewPrivs', name: 'no new privileges', ok: (seen) => seen === '1' },
  { label: 'Seccomp', name: 'system call filter', ok: (seen) => seen === '2' },
  { label: 'interfaces', name: 'no network but loopback', ok: (seen) => seen === 'lo' },
  { label: 'secrets', name: 'secret folder empty', ok: (seen) => seen === '0' },
  { label: 'processes', name: 'own process namespace', ok: (seen) => seen === '1' },
]

/** Only shell builtins, so that it costs one process. `/proc/1/comm` is bwrap itself inside its own namespace. */
function script(home: string, secret: string | undefined): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
  return [
    `probe() { if (: >>"$1") 2>/dev/null; then echo open; else echo refused; fi; }`,
    `echo "home=$(probe ${quote(path.join(home, TRACE))})"`,
    `echo "sysctl=$(probe /proc/sys/kernel/core_pattern)"`,
    `while read -r key value; do case $key in CapEff:|NoNewPrivs:|Seccomp:) echo "\${key%:}=$value";; esac; done </proc/self/status`,
    'names=; { read -r _; read -r _; while IFS=" :" read -r name _; do names="$names$name"; done; } </proc/net/dev; echo "interfaces=$names"',
    secret === undefined ? 'echo secrets=0' : `shopt -s nullglob dotglob; set -- ${quote(secret)}/*; echo "secrets=$#"`,
    `read -r first </proc/1/comm; [ "$first" = bwrap ] && echo processes=1 || echo "processes=$first"`,
    ': >written',
  ].join('\n')
}

function readChecks(output: string, { home, hidden }: Machine): Check[] {
  const real = realPath(home) ?? home
  return EXPECTED.map(({ label, name, ok }) => {
    const said = new RegExp(`^${label}=(.*)$`, 'm').exec(output)?.[1]
    // In a folder that commands have for themselves what they write goes no farther.
    const isOwn = label === 'home' && said === 'open' && hidden.some((folder) => isInside(real, folder))
    const seen = isOwn && !existsSync(path.join(home, TRACE)) ? 'refused' : said
    return { name, ok: seen !== undefined && ok(seen), seen: seen ?? 'nothing' }
  })
}
