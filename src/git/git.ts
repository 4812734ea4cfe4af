/** Git in a folder, by words: see hostGit for what a repository cannot make it do. */
import { hostGit } from '../../sandbox/index.ts'

/** Gives stdout; rejects, with git's words in the message, when git ends otherwise than with 0. */
export type Git = (
  words: readonly string[],
  extra?: Readonly<Record<string, string>>,
  input?: string,
) => Promise<string>

/** Git in a folder. `extra` is added to the environment of one call, `input` is its standard input. */
export const gitIn =
  (root: string): Git =>
  (words, extra = {}, input = '') =>
    hostGit(root, words, { env: extra, input })
