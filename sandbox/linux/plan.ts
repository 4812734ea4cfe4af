/** From a command and a policy to what bwrap is started with. */
import { statSync } from 'node:fs'
import type { Environment } from '../environment.ts'
import type { SpawnPlan } from '../spawn-plan.ts'
import type { Command, Policy } from '../types.ts'
import { bwrapProfile, GATE_FD, type Machine, type ProfileOptions, SCRIPT_FD } from './bwrap.ts'
import { listeningSockets } from './masks.ts'
import { misplacedMount } from './mounts.ts'
import { seccompFilter } from './seccomp.ts'

/** The programs that a plan starts, by absolute path. */
export interface Programs {
  readonly bwrap: string
  readonly bash: string
}

/** Longer lines do not fit into one argument (MAX_ARG_STRLEN is 128 KiB) and travel as a file. */
const MAX_LINE_BYTES = 100_000
const SCRIPT = '/tmp/.cachalot-command'

/** Closes the descriptors that we ourselves inherited, whoever left them open: Node passes them on. */
export const CLOSE_INHERITED = `for d in /dev/fd/*; do d=\${d##*/}; [ "$d" -gt 2 ] && eval "exec $d>&-"; done`

/**
 * Only when we answer does the command begin: by then bwrap has bound its life to ours. Without this, an agent that is
 * killed while the box is being set up would leave a command behind that nobody ends.
 */
const GATE = `echo >&${GATE_FD} && read -r _ <&${GATE_FD} || exit 125`

/**
 * Before the line itself, which gets a shell of its own: limits of each process (no core, 8192 files, 4 GiB a file; a
 * lower one stays) and of their number (counted in the command's own user namespace; the kernel exempts root, whom the
 * watchdog counts), and a hint to the kernel whom to kill first when memory ends.
 */
const PRELUDE = [
  GATE,
  CLOSE_INHERITED,
  'ulimit -c 0; ulimit -n 8192 2>/dev/null; ulimit -f 4194304 2>/dev/null; ulimit -u 4096 2>/dev/null',
  'echo 500 2>/dev/null >/proc/self/oom_score_adj',
].join('; ')

/** What is a program stays one. */
function permsOf(file: string): string[] {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0
  return (mode & 0o111) === 0 ? [] : ['--perms', '0755']
}

/**
 * The plan of one command. Reads the disk (see bwrapProfile), so it is made anew for each.
 *
 * @param enter what is put before bwrap to start it in the network of the session; empty: one of its own.
 */
export function bwrapPlan(
  { line, instead = [] }: Pick<Command, 'line' | 'instead'>,
  cwd: string,
  policy: Policy,
  environment: Environment,
  machine: Machine,
  programs: Programs,
  enter: readonly string[] = [],
  gitEntries?: ProfileOptions['gitEntries'],
): SpawnPlan {
  const joinsNetwork = enter.length > 0
  const profile = bwrapProfile(policy, cwd, machine, { sockets: listeningSockets(), joinsNetwork, gitEntries })
  const filter = seccompFilter({ unix: profile.unix })
  const script = Buffer.from(line)
  const long = script.length > MAX_LINE_BYTES
  const { bash } = programs
  const command = long
    ? [bash, '--norc', '-c', `${PRELUDE}; exec ${bash} --norc ${SCRIPT}`]
    : [bash, '--norc', '-c', `${PRELUDE}; exec ${bash} --norc -c "$1"`, 'bash', line]
  const [file = programs.bwrap, ...before] = [...enter, programs.bwrap]
  const given = [...(long ? [{ path: SCRIPT, bytes: script }] : []), ...instead]
  const data = given.flatMap(({ path }, at) => [...permsOf(path), '--ro-bind-data', String(SCRIPT_FD + at), path])
  const args = [...profile.args, ...data]
  return {
    file,
    args: [...before, ...args, '--', ...command],
    check: (pid) => misplacedMount(args, pid),
    env: environment.variables,
    cwd: '/',
    input: [filter, 'status', 'gate', ...given.map(({ bytes }) => bytes)],
    tree: 'namespace',
  }
}
