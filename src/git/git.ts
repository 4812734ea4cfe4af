/** Git as we run it: by words, never through a shell, with nothing of the repository that could run a program. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Programs of the repository (hooks, monitors) could have been written by the run: none of them is started. */
const plain = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false']

/** Gives stdout; rejects, with git's words in the message, when git ends otherwise than with 0. */
export type Git = (words: readonly string[], extra?: Readonly<Record<string, string>>) => Promise<string>

/** Git in a folder. `extra` is added to the environment of one call. */
export const gitIn =
  (root: string): Git =>
  async (words, extra = {}) => {
    const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_LITERAL_PATHSPECS: '1', ...extra }
    return (await execute('git', [...plain, ...words], { cwd: root, env, maxBuffer: 1 << 28 })).stdout
  }
