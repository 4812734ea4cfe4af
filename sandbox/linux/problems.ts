/** What bubblewrap says when it cannot work, turned into what a person can do about it. */
import { readFileSync } from 'node:fs'
import type { SandboxProblem } from '../types.ts'

export const INSTALL_BWRAP =
  'No sandbox: bubblewrap is not installed. Run: sudo apt-get install -y bubblewrap. ' +
  'Until then commands do not run; inside a container that is the boundary itself, use --sandbox external.'

/** What bwrap says of a path that went away between our look at it and its mount; undefined for anything else. */
export const vanished = (output: string): string | undefined =>
  /No such file or directory|Not a directory/.test(output) ? output.trim().slice(-300) : undefined

/** The box could not be made as it was asked for, time and again. */
export const changedMessage = (what: string): string =>
  `The command was not run: the work tree changed while its box was made (${JSON.stringify(what)}). Something moves ` +
  'folders, or exchanges them for links: stop commands in the background, and run it again.'

/** The problem behind bwrap's own words. `apparmor` is the kernel setting that Ubuntu 24.04 switches on. */
export function problemOf(
  message: string,
  apparmor: boolean = apparmorRestricts(),
  uid = process.geteuid?.(),
): SandboxProblem {
  const said = message.trim().split('\n').slice(-2).join(' ').slice(0, 300)
  if (/uid map: Operation not permitted/.test(message) && uid === 0) {
    return {
      kind: 'root-without-caps',
      message: `No sandbox: root lacks CAP_SETFCAP here. Grant it, or run as a normal user. (${said})`,
    }
  }
  if (/Can't mount proc|mount proc on/.test(message)) {
    return {
      kind: 'no-proc',
      message: `No sandbox: this container lets no /proc be mounted. Use --sandbox external if the container is the boundary. (${said})`,
    }
  }
  if (apparmor && /uid map: Permission denied|RTM_NEWADDR|Permission denied/.test(message)) {
    return {
      kind: 'userns-denied',
      message:
        'No sandbox: Ubuntu blocks user namespaces for bwrap. Either install the profile printed by ' +
        '`cachalot doctor --apparmor`, or: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 ' +
        `(${said})`,
    }
  }
  if (
    /No permissions to create new namespace|new namespace failed|uid map: Permission denied|max_user_namespaces|Creating new namespace/.test(
      message,
    )
  ) {
    return {
      kind: 'no-namespaces',
      message:
        'No sandbox: the system refuses user namespaces. Inside a container? Use --sandbox external, or start it with ' +
        '--security-opt seccomp=unconfined; on a host: sudo sysctl -w user.max_user_namespaces=15000 ' +
        `(${said})`,
    }
  }
  return { kind: 'self-test', message: `No sandbox: bubblewrap does not work here: ${said}` }
}

function apparmorRestricts(): boolean {
  try {
    return readFileSync('/proc/sys/kernel/apparmor_restrict_unprivileged_userns', 'utf8').trim() === '1'
  } catch {
    // No such setting: not an Ubuntu kernel with this restriction.
    return false
  }
}
