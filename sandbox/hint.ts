/** A guess, for model and user, that the sandbox is why a command failed. Never an input to a decision. */
import type { CommandResult } from './types.ts'

const WRITES = /Read-only file system|EROFS|\[Errno 30\]/
const NETWORK =
  /Could not resolve host|Network is unreachable|Temporary failure in name resolution|EAI_AGAIN|ENETUNREACH|ENOTFOUND|getaddrinfo/
const RIGHTS = /Operation not permitted|EPERM/

/** One line, or undefined when nothing points to the sandbox. */
export function denialHint(result: Pick<CommandResult, 'exitCode' | 'output'>): string | undefined {
  if (result.exitCode === 0) return undefined
  const { output } = result
  if (/\.git\/.*Read-only file system|unable to (create|write).*\.git/.test(output)) {
    return '[sandbox: .git is read-only for commands]'
  }
  if (WRITES.test(output)) return '[sandbox: only the work tree and /tmp are writable]'
  if (NETWORK.test(output)) return '[sandbox: there is no network]'
  if (RIGHTS.test(output)) return '[sandbox: some system calls are refused]'
  return undefined
}
