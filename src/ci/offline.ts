/** The words before a command line that take the network away from it, whatever it starts. */
import { execFileSync } from 'node:child_process'
import { OpenError } from '../open/open-error.ts'

/**
 * `unshare --net`: by root itself, or through sudo without a password and then as the same user again, as hosted runners
 * have it. Throws OpenError (exit `sandbox`) where neither is possible.
 */
export function offlineWords(environment: Readonly<Record<string, string>>): readonly string[] {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  const words =
    uid === 0
      ? ['unshare', '--net', '--']
      : ['sudo', '-n', 'unshare', '--net', '--', 'setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--']
  const [program = '', ...rest] = words
  try {
    execFileSync(program, [...rest, 'true'], { stdio: 'pipe' })
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new OpenError(
      'sandbox',
      `the network cannot be taken away here (${why}). Run as root or with sudo, or say --network keep`,
    )
  }
  // sudo clears the environment: what is wanted is given again by name.
  return uid === 0
    ? words
    : [...words, 'env', '-i', ...Object.entries(environment).map(([key, value]) => `${key}=${value}`)]
}
