/** `cachalot audit`: what a session did, from its log. */
import { type Audit, type AuditEntry, auditSession, LogError } from '../../agent/index.ts'
import { plural } from '../terminal/numbers.ts'
import { safeJson, sanitizeLine } from '../terminal/sanitize.ts'
import { findLog } from './find-log.ts'

/** Gives the exit code: 0, or 1 when the log is broken or cannot be read. Throws UsageError. */
export async function auditCommand(
  wanted: string,
  flags: { readonly cwd?: string; readonly json?: boolean },
): Promise<number> {
  const file = await findLog(wanted, flags.cwd)
  let audit: Audit
  try {
    audit = await auditSession(file)
  } catch (error) {
    if (!(error instanceof LogError)) throw error
    process.stderr.write(`cachalot: ${sanitizeLine(error.message)}\n`)
    return 1
  }
  if (flags.json === true) process.stdout.write(`${safeJson(audit)}\n`)
  else for (const text of auditLines(audit)) process.stdout.write(`${sanitizeLine(text)}\n`)
  return audit.chain === 'broken' ? 1 : 0
}

function auditLines(audit: Audit): string[] {
  const { id, cwd, time, model, chain, broken, tornBytes, records, tip, entries } = audit
  const state = {
    whole: `whole, ${plural(records, 'record')}, last ${tip}`,
    none: 'none: it was written before there was one',
    broken: broken ?? 'broken',
  }
  return [
    `session  ${id}`,
    `folder   ${cwd}`,
    `model    ${model}`,
    `began    ${time}`,
    `chain    ${state[chain]}`,
    ...(tornBytes > 0 ? [`torn     the last line was cut by a crash (${plural(tornBytes, 'byte')})`] : []),
    '',
    ...entries.map(entryLine),
  ]
}

function entryLine(entry: AuditEntry): string {
  const time = 'time' in entry && entry.time !== undefined ? entry.time.slice(11, 19) : ''
  const [what, text] = wordsOf(entry)
  return `${time.padEnd(8)}  ${what.padEnd(8)}  ${text}`.trimEnd()
}

function wordsOf(entry: AuditEntry): [what: string, text: string] {
  switch (entry.kind) {
    case 'input':
      return ['asked', firstLine(entry.text)]
    case 'shown':
      return ['shown', entry.paths.join(', ')]
    case 'read':
      return ['read', entry.path]
    case 'changed':
      return ['changed', entry.paths.join(', ')]
    case 'command': {
      const { command, outcome, exitCode, seconds, findings } = entry
      const end = outcome === 'exited' ? `exit ${exitCode}` : outcome
      return ['command', [`${firstLine(command)}  (${end}, ${seconds.toFixed(1)} s)`, ...findings].join('; ')]
    }
    case 'connection':
      return ['network', `${entry.host}:${entry.port} ${entry.allowed ? 'reached' : 'refused'}`]
    case 'approval': {
      const who = { person: 'you', nobody: 'nobody was there', rule: 'a rule' }[entry.by]
      return [
        'approval',
        `${entry.allowed ? 'yes' : 'no'}, ${who}: ${entry.effects.map(effectWords).join('; ')} (${entry.reason})`,
      ]
    }
    case 'called':
      return ['called', `${entry.tool} of the MCP server ${entry.server}`]
    case 'failed':
      return ['failed', `${entry.tool}: ${entry.why}`]
    case 'result':
      return ['ended', [entry.exit, ...entry.changed].join('  ')]
    default:
      return entry satisfies never
  }
}

type ApprovedEffect = Extract<AuditEntry, { kind: 'approval' }>['effects'][number]

function effectWords(effect: ApprovedEffect): string {
  switch (effect.kind) {
    case 'run':
      return `run ${firstLine(effect.command)}`
    case 'open-write':
      return `write to ${effect.path}`
    case 'open-host':
      return `reach ${effect.host}`
    case 'call':
      return `call ${effect.tool} of the MCP server ${effect.server} with ${firstLine(effect.input)}`
    default:
      return `${effect.kind} ${effect.path}`
  }
}

function firstLine(text: string): string {
  const [first = '', ...more] = text.split('\n')
  return more.length > 0 ? `${first} … (+${plural(more.length, 'line')})` : first
}
