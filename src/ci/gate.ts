/** Who may set a job off, and what it is to do. Both jobs decide this for themselves, from what GitHub tells them. */
import { type CiEvent, headOf, type PullHead } from './event.ts'
import type { GitHub } from './github.ts'
import { quotedFor, visibleText } from './untrusted.ts'

export interface GateRules {
  /** The word that a comment has to begin with. */
  readonly trigger: string
  /** Pull requests whose branch is in another repository. Default: refused. */
  readonly allowForks: boolean
}

export type Verdict = { readonly allowed: false; readonly reason: string } | Allowed

export interface Allowed {
  readonly allowed: true
  readonly reason: string
  /** `fix`: the configured check is to be repaired. `run`: `task` is to be done. */
  readonly job: 'fix' | 'run'
  /** The person's words, and the issue or pull request as quoted text. Empty for a `fix` that nobody wrote words for. */
  readonly task: string
  /** The branch to work on, and the one whose instruction and config files count. */
  readonly branch: string
  readonly base: string
  readonly fork: boolean
  readonly number?: number
}

const mayWrite = new Set(['admin', 'maintain', 'write'])
/** Events that only somebody with write access, or GitHub by itself, can cause. */
const ownEvents = new Set(['push', 'workflow_dispatch', 'schedule', 'repository_dispatch'])

const refused = (reason: string): Verdict => ({ allowed: false, reason })

/** Judges an event. Rejects with GitHubError when GitHub cannot be asked: then nothing may run. */
export async function gate(event: CiEvent, rules: GateRules, github: GitHub): Promise<Verdict> {
  if (event.name === 'pull_request_target' || event.name === 'workflow_run') {
    return refused(`${event.name} gives the code of strangers a token that writes: use pull_request or issue_comment`)
  }
  if (event.bot) return refused(`${event.actor} is a bot: bots do not set it off`)
  const words = event.comment === undefined ? undefined : commandOf(event.comment, rules.trigger)
  if (event.name === 'issue_comment' && words === undefined) {
    return refused(`not a new comment that begins with ${rules.trigger}`)
  }
  if (!ownEvents.has(event.name)) {
    if (event.name !== 'issue_comment' && event.name !== 'pull_request') return refused(`${event.name} is no trigger`)
    const permission = event.actor === '' ? 'none' : await github.permission(event.actor)
    if (!mayWrite.has(permission)) return refused(`${event.actor} may not write to ${event.repository} (${permission})`)
  }
  const head = event.head ?? (event.isPullRequest && event.number ? headOf(await github.pull(event.number)) : undefined)
  const fork = head !== undefined && head.repository !== event.repository
  if (fork && !rules.allowForks) return refused('the pull request comes from a fork (allow-forks is not set)')
  return allowed(event, words, head, fork)
}

function allowed(event: CiEvent, words: string | undefined, head: PullHead | undefined, fork: boolean): Allowed {
  const fix = words === undefined || /^fix$/i.test(words) || words === ''
  const quoted = [event.title, event.body].filter((text) => text != null && text.trim() !== '').join('\n\n')
  const what = event.isPullRequest ? 'The pull request says' : 'The issue says'
  const about = quoted === '' || words === undefined ? [] : [quotedFor(what, quoted)]
  const branch = head?.ref ?? event.branch ?? event.defaultBranch
  return {
    allowed: true,
    reason: event.actor === '' ? event.name : `${event.name} by ${event.actor}`,
    job: fix ? 'fix' : 'run',
    task: [...(fix ? [] : [words]), ...about].join('\n\n'),
    ...{ branch, base: head?.baseRef ?? branch, fork },
    ...(event.number !== undefined && { number: event.number }),
  }
}

/** What follows the trigger word, when a comment begins with it. */
function commandOf(comment: string, trigger: string): string | undefined {
  const text = visibleText(comment)
  if (text !== trigger && !text.startsWith(`${trigger} `) && !text.startsWith(`${trigger}\n`)) return undefined
  return text.slice(trigger.length).trim()
}
