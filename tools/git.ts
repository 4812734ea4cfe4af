/** The tool `git`: fixed verbs with options from a list, run in the sandbox by a command line of ours. */
import * as z from 'zod'
import { runCommand } from './command.ts'
import { type GitVerb, gitVerbs } from './git-verbs.ts'
import { failure, settle } from './result.ts'
import type { Effect, Tool } from './types.ts'

const seconds = 60

const input = z.object({
  verb: z.enum(Object.keys(gitVerbs) as [GitVerb, ...GitVerb[]]),
  args: z.array(z.string()).optional().describe('options, revisions, paths'),
  message: z.string().optional(),
})

type GitCall = z.infer<typeof input>

export const gitTool: Tool<GitCall> = {
  name: 'git',
  description: 'Run git. Commit only when the user asked for it.',
  input,
  effects: (call) => [effectOf(call)],
  run: (call, context) =>
    settle(context.signal, async () => {
      const problem = problemOf(call)
      if (problem) return failure('bad-arguments', problem)
      const { writes } = gitVerbs[call.verb]
      if (writes && context.policy.mode === 'read-only') {
        return failure('denied', `git ${call.verb} writes, and this session is read-only.`)
      }
      const policy = writes ? { ...context.policy, git: 'writable' as const } : context.policy
      return await runCommand(context, { line: commandLine(call), shown: shownLine(call), seconds, policy })
    }),
}

/** A verb that only reads is a reading of the work tree; others are commands, for the rules that judge commands. */
function effectOf(call: GitCall): Effect {
  return gitVerbs[call.verb].writes ? { kind: 'run', command: shownLine(call) } : { kind: 'read', path: '.' }
}

/** What is wrong with the arguments; undefined when they may run. */
function problemOf({ verb, args = [], message }: GitCall): string | undefined {
  const { options, needsMessage, words } = gitVerbs[verb]
  if (needsMessage && !message?.trim() && !args.some((arg) => arg === '--amend')) return `git ${verb} needs message.`
  if (message !== undefined && !needsMessage && verb !== 'tag' && verb !== 'stash')
    return `git ${verb} takes no message.`
  if (message?.includes('\0') || args.some((arg) => arg.includes('\0'))) return 'A NUL character cannot be passed.'
  const first = args.find((arg) => !arg.startsWith('-'))
  if (words && first !== undefined && !words.includes(first)) return `git ${verb} takes: ${words.join(', ')}.`
  const paths = args.indexOf('--')
  const checked = paths < 0 ? args : args.slice(0, paths)
  const odd = checked.find((arg) => arg.startsWith('-') && !options.some((option) => allows(option, arg)))
  if (odd === undefined) return undefined
  return `git ${verb} does not take ${JSON.stringify(odd)} here. Options: ${options.join(' ') || 'none'}.`
}

/** An option that ends in `=` takes a value after it, one that ends in `#` a number or range right after its letter. */
function allows(option: string, arg: string): boolean {
  if (option.endsWith('=')) return arg.startsWith(option)
  if (option.endsWith('#'))
    return arg.startsWith(option.slice(0, -1)) && /^[\d,+:-]+$/.test(arg.slice(option.length - 1))
  return arg === option
}

/**
 * Nothing that a repository configures runs: no hooks, no fsmonitor, no external diff, no text conversion, no signing, no
 * editor, no pager, no transport.
 */
const settings = [
  ...['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.pager=cat', 'core.sshCommand=false', 'diff.external='],
  ...['commit.gpgSign=false', 'tag.gpgSign=false', 'protocol.allow=never', 'submodule.recurse=false'],
  ...[
    'gc.auto=0',
    'maintenance.auto=false',
    'color.ui=never',
    'safe.bareRepository=explicit',
    'advice.detachedHead=false',
  ],
]

/** Without a name of the user, a commit says who made it: this program. */
const identity =
  'git config user.email >/dev/null || export GIT_AUTHOR_NAME=Cachalot GIT_AUTHOR_EMAIL=cachalot@localhost GIT_COMMITTER_NAME=Cachalot GIT_COMMITTER_EMAIL=cachalot@localhost'

function commandLine({ verb, args = [], message }: GitCall): string {
  const { fixed = [], writes } = gitVerbs[verb]
  const environment = ['GIT_EDITOR=true', 'GIT_SEQUENCE_EDITOR=true', 'GIT_TERMINAL_PROMPT=0', 'GIT_PAGER=cat']
  // A reading git refreshes its index where it can; here it cannot, and need not say so.
  if (!writes) environment.push('GIT_OPTIONAL_LOCKS=0')
  const words = [verb, ...fixed, ...messageArguments(verb, message, args), ...rest(verb, message, args)]
  const configuration = settings.flatMap((setting) => ['-c', setting])
  return `export ${environment.join(' ')}; ${identity}; git --no-pager ${[...configuration, ...words].map(quote).join(' ')}`
}

function messageArguments(verb: GitVerb, message: string | undefined, args: readonly string[]): string[] {
  if (message === undefined || message === '') return []
  if (verb === 'stash') return args[0] === undefined || args[0] === 'push' ? ['push', '-m', message] : []
  return ['-m', message]
}

/** The model's own arguments; `push` of a stash with a message stands before it already. */
function rest(verb: GitVerb, message: string | undefined, args: readonly string[]): readonly string[] {
  return verb === 'stash' && message && args[0] === 'push' ? args.slice(1) : args
}

const shownLine = ({ verb, args = [], message }: GitCall): string =>
  ['git', verb, ...(message ? ['-m', message] : []), ...args]
    .map((word) => (/^[\w./:=@^~-]+$/.test(word) ? word : quote(word)))
    .join(' ')

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`
