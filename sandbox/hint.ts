/** A guess, for model and user, that the sandbox is why a command failed. Never an input to a decision. */
import type { CommandResult } from './types.ts'

const WRITES = /Read-only file system|EROFS|\[Errno 30\]/
const NETWORK =
  /Could not resolve host|Network is unreachable|Temporary failure in name resolution|EAI_AGAIN|ENETUNREACH|ENOTFOUND|getaddrinfo/
const RIGHTS = /Operation not permitted|EPERM/

/** One line and what was lacking; empty when nothing points to the sandbox. */
export function denialHint(result: Pick<CommandResult, 'exitCode' | 'output'>): Pick<CommandResult, 'hint' | 'lacked'> {
  if (result.exitCode === 0) return {}
  const { output } = result
  if (/\.git\/.*Read-only file system|unable to (create|write).*\.git/.test(output)) {
    return { hint: '[sandbox: .git is read-only for commands]' }
  }
  if (WRITES.test(output)) return { hint: '[sandbox: only the work tree and /tmp are writable]', lacked: 'write' }
  if (NETWORK.test(output)) return { hint: '[sandbox: there is no network]', lacked: 'host' }
  if (RIGHTS.test(output)) return { hint: '[sandbox: some system calls are refused]' }
  return {}
}
