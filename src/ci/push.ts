/** Makes a commit of a patch and pushes it as a new branch. No file of the repository is ever checked out or run. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Git } from '../git/git.ts'
import { type PatchRules, problemsOf } from './validate.ts'

const execute = promisify(execFile)

export interface PushRequest {
  /** Address of the repository, or a path. */
  readonly remote: string
  /** `user:token` for an address of http(s); '' for none. Never on a command line. */
  readonly login: string
  /** The branch that the patch is for. */
  readonly branch: string
  readonly patch: string
  readonly rules: PatchRules
  readonly message: string
  /** Beginning of the new branch's name. */
  readonly name: string
  /** `git push -o` (GitLab opens merge requests by them); `branch` is the new one. */
  readonly options?: readonly string[]
  /** False: everything but the push. */
  readonly push: boolean
}

export type Pushed =
  | { readonly kind: 'refused'; readonly problems: readonly string[] }
  | { readonly kind: 'pushed'; readonly branch: string; readonly commit: string; readonly diff: string }

/** Rejects when git fails: the remote is out of reach, or will not have the branch. */
export async function pushPatch(request: PushRequest): Promise<Pushed> {
  const { remote, branch, patch, rules, message, name } = request
  const folder = mkdtempSync(join(tmpdir(), 'cachalot-publish-'))
  try {
    const git = bareGit(folder, request.login)
    await git(['init', '-q', '--bare', '.'])
    await git(['fetch', '-q', '--depth=1', '--no-tags', '--', remote, `refs/heads/${branch}`])
    const base = (await git(['rev-parse', 'FETCH_HEAD^{commit}'])).trim()
    await git(['read-tree', base])
    const file = join(folder, 'given.patch')
    writeFileSync(file, patch)
    try {
      await git(['apply', '--cached', '--whitespace=nowarn', '--', file])
    } catch (error) {
      const why = (error instanceof Error ? error.message : String(error)).split('\n').slice(1, 4).join('; ')
      return { kind: 'refused', problems: [`it does not apply to ${branch} (${base.slice(0, 12)}): ${why}`] }
    }
    const tree = (await git(['write-tree'])).trim()
    const problems = await problemsOf(git, base, tree, rules)
    if (problems.length > 0) return { kind: 'refused', problems }
    const diff = await git(['diff-tree', '-p', '--no-renames', '--no-ext-diff', base, tree])
    const commit = (await git(['commit-tree', tree, '-p', base, '-m', message])).trim()
    const made = `cachalot/${name}-${tree.slice(0, 8)}`
    if (request.push) {
      const options = (request.options ?? []).flatMap((option) => ['-o', option])
      await git(['push', '-q', ...options, '--', remote, `${commit}:refs/heads/${made}`])
    }
    return { kind: 'pushed', branch: made, commit, diff }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Git in a bare repository of our own, with no settings but ours. The login goes by the environment, as a header. */
function bareGit(folder: string, login: string): Git {
  const settings: [string, string][] = [
    ['core.hooksPath', '/dev/null'],
    ['core.quotePath', 'false'],
    ['protocol.ext.allow', 'never'],
    ['transfer.fsckObjects', 'true'],
  ]
  if (login !== '') {
    settings.push(['http.extraHeader', `Authorization: Basic ${Buffer.from(login).toString('base64')}`])
  }
  const who = { GIT_AUTHOR_NAME: 'Cachalot', GIT_AUTHOR_EMAIL: 'cachalot@localhost' }
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    ...{ GIT_DIR: folder, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' },
    ...{ GIT_CONFIG_COUNT: String(settings.length), ...who },
    ...{ GIT_COMMITTER_NAME: who.GIT_AUTHOR_NAME, GIT_COMMITTER_EMAIL: who.GIT_AUTHOR_EMAIL },
    ...Object.fromEntries(
      settings.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value],
      ]),
    ),
  }
  return async (words, extra = {}) =>
    (await execute('git', [...words], { cwd: folder, env: { ...environment, ...extra }, maxBuffer: 1 << 28 })).stdout
}
