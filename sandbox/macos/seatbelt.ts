/**
 * The Seatbelt profile for macOS, written by design: the same promises as the bubblewrap profile where the system has
 * the means. Paths are parameters (`-D`), never part of the text. Not run by us on a Mac yet: see docs/security.md.
 */
import path from 'node:path'
import { secretMasks } from '../linux/masks.ts'
import { protectedPaths } from '../protect.ts'
import type { Policy } from '../types.ts'

/** The program that applies a profile; part of macOS. */
export const SANDBOX_EXEC = '/usr/bin/sandbox-exec'

/** System services without which ordinary programs do not start: names, users, logging, certificates. */
const SERVICES = [
  ...['com.apple.system.opendirectoryd.libinfo', 'com.apple.system.opendirectoryd.membership'],
  ...['com.apple.system.notification_center', 'com.apple.system.logger', 'com.apple.logd', 'com.apple.diagnosticd'],
  ...['com.apple.trustd', 'com.apple.trustd.agent', 'com.apple.coreservices.launchservicesd'],
]

/**
 * Names that programs outside obey, wherever in a root: as expressions they hold also for files that do not exist yet,
 * which no mount can do. Letters match in either case, as the file system does.
 */
const HELD_NAMES = [
  String.raw`/\.[Gg][Ii][Tt](/|$)`,
  String.raw`/\.[Cc][Aa][Cc][Hh][Aa][Ll][Oo][Tt](/|$)`,
  String.raw`/\.(vscode|idea|husky|circleci|claude)(/|$)`,
  String.raw`/\.git(hub|ea)/workflows(/|$)`,
  String.raw`/\.(envrc|mcp\.json|gitlab-ci\.yml|gitmodules)$`,
  String.raw`/(AGENTS|CLAUDE)\.md$`,
]

export interface SeatbeltProfile {
  readonly text: string
  /** Values of the parameters in the text. */
  readonly parameters: Readonly<Record<string, string>>
}

/** @param temporary real path of the private folder for temporary files. */
export function seatbeltProfile(policy: Policy, home: string, temporary: string): SeatbeltProfile {
  const parameters: Record<string, string> = {}
  /** A parameter for each path; the rule text that names them all. */
  const paths = (prefix: string, files: readonly string[], rule: 'subpath' | 'literal'): string =>
    files
      .map((file, index) => {
        parameters[`${prefix}_${index}`] = file
        return `(${rule} (param "${prefix}_${index}"))`
      })
      .join(' ')

  const writable = policy.mode === 'read-only' ? [] : [...policy.roots, ...policy.extraWrite]
  const held = [...new Set([...writable.flatMap((root) => protectedPaths(root)), ...(policy.readOnly ?? [])])]
  const ancestors = [...new Set(held.flatMap((file) => between(file, writable)))]
  const roots = paths('WRITE', [...writable, temporary], 'subpath')
  const secrets = paths(
    'SECRET',
    secretMasks(home, policy.denyRead).map((mask) => mask.path),
    'subpath',
  )
  const names = HELD_NAMES.map((expression) => `(regex #"${expression}")`).join(' ')

  const lines = [
    '(version 1)',
    '(deny default)',
    '; its own processes only',
    '(allow process-exec process-fork)',
    '(allow signal process-info* (target same-sandbox))',
    '(allow sysctl-read)',
    '(allow ipc-posix-sem ipc-posix-shm-read* ipc-posix-shm-write-create ipc-posix-shm-write-data)',
    `(allow mach-lookup ${SERVICES.map((name) => `(global-name "${name}")`).join(' ')})`,
    '(allow pseudo-tty)',
    '; reads are broad, secrets are not',
    '(allow file-read*)',
    ...(secrets === '' ? [] : [`(deny file-read* ${secrets})`]),
    '(allow file-write-data file-ioctl (literal "/dev/null") (literal "/dev/zero") (literal "/dev/dtracehelper") (regex #"^/dev/ttys[0-9]+$"))',
    '; writes are narrow; later rules win',
    `(allow file-write* ${roots})`,
    `(deny file-write* (require-all (require-any ${roots}) (require-any ${names})))`,
    ...(held.length === 0 ? [] : [`(deny file-write* ${paths('HELD', held, 'subpath')})`]),
    ...(ancestors.length === 0 ? [] : [`(deny file-write-unlink ${paths('PINNED', ancestors, 'literal')})`]),
    ...(secrets === '' ? [] : [`(deny file-write* ${secrets})`]),
    '(deny file-write-setugid)',
    '; no opening of other applications, no events to them',
    '(deny appleevent-send lsopen)',
    ...networkRules(policy, roots),
  ]
  return { text: `${lines.join('\n')}\n`, parameters }
}

/** Without a network only sockets in its own folders; a host list needs a network namespace, which macOS has not. */
function networkRules(policy: Policy, roots: string): string[] {
  if (policy.network === 'full') return ['(allow network* system-socket)']
  return ['(deny network*)', `(allow network-bind network-inbound network-outbound ${roots})`]
}

/** The folders between a path and the root that it lies in. */
function between(file: string, roots: readonly string[]): string[] {
  const found: string[] = []
  const root = roots.find((each) => file.startsWith(`${each}/`))
  if (root === undefined) return found
  for (let up = path.dirname(file); up.length > root.length; up = path.dirname(up)) found.push(up)
  return found
}

/** What sandbox-exec is started with to run a program under the profile. */
export function seatbeltArgs(profile: SeatbeltProfile, command: readonly string[]): string[] {
  const values = Object.entries(profile.parameters).flatMap(([name, value]) => ['-D', `${name}=${value}`])
  return ['-p', profile.text, ...values, '--', ...command]
}
