/** The user's own rules: which calls are allowed without a question, asked for, or forbidden. */
import picomatch from 'picomatch'
import { type Effect, isExactly, mayBe, prefixWords, readShellLine, type ShellLine } from '../../tools/index.ts'

/** One rule. All of its conditions must hold; a rule without any is none (the settings refuse it). */
export interface Rule {
  readonly action: 'allow' | 'ask' | 'deny'
  /** Name of a tool. */
  readonly tool?: string
  /** First words of a command: `git push`. */
  readonly command?: string
  /** A glob over paths relative to the work tree: `migrations/**`. */
  readonly path?: string
  /** With `path`: which use of it is meant. Default: `write`. */
  readonly access?: 'read' | 'write'
  /** Said to model and user where the rule holds. */
  readonly reason?: string
  /** Where it stands: `~/.config/cachalot/config.toml:12`. */
  readonly origin: string
}

export interface RuleVerdict {
  /** `none`: no rule has anything to say. */
  readonly kind: 'none' | Rule['action']
  /** For a person and the model. */
  readonly reason: string
}

const silent: RuleVerdict = { kind: 'none', reason: '' }

/**
 * The strictest of the rules that hold: deny, then ask, then allow; their order does not matter. `allow` holds only when
 * every effect of the call, and every program of a command line, is allowed by some rule. Where a rule that forbids or
 * asks might hold (the line cannot be read, a word is not known yet), it is asked for.
 */
export async function judgeByRules(
  rules: readonly Rule[],
  tool: string,
  effects: readonly Effect[],
): Promise<RuleVerdict> {
  const mine = rules.filter((rule) => rule.tool === undefined || rule.tool === tool)
  if (mine.length === 0) return silent
  const readings = new Map<string, ShellLine>()
  if (mine.some(({ command }) => command !== undefined)) {
    for (const effect of effects) {
      if (effect.kind === 'run') readings.set(effect.command, await readShellLine(effect.command))
    }
  }

  let asked: RuleVerdict | undefined
  for (const rule of mine) {
    if (rule.action === 'allow') continue
    const held = holding(rule, effects, readings)
    if (held === undefined) continue
    if (rule.action === 'deny' && held === 'yes') return { kind: 'deny', reason: saying(rule, 'forbids') }
    const why =
      held === 'yes'
        ? saying(rule, 'asks before')
        : `${held}, and ${saying(rule, rule.action === 'deny' ? 'forbids' : 'asks before')}`
    asked ??= { kind: 'ask', reason: why }
  }
  if (asked !== undefined) return asked
  const allowing = mine.filter(({ action }) => action === 'allow')
  const heeded = effects.filter(({ kind }) => kind !== 'read')
  const allowed = heeded.length > 0 && heeded.every((effect) => allows(allowing, effect, readings))
  return allowed ? { kind: 'allow', reason: `allowed by ${allowing.map(({ origin }) => origin).join(', ')}` } : silent
}

/** `yes`, or why it may be; undefined: it does not hold. */
function holding(rule: Rule, effects: readonly Effect[], readings: ReadonlyMap<string, ShellLine>): string | undefined {
  const { command, path } = rule
  if (command === undefined && path === undefined) return 'yes'
  let maybe: string | undefined
  for (const effect of effects) {
    if (path !== undefined && touches(rule, effect)) return 'yes'
    if (command === undefined || effect.kind !== 'run') continue
    const line = readings.get(effect.command)
    const prefix = prefixWords(command)
    const matches = line?.commands.map((one) => mayBe(one, prefix)) ?? []
    if (matches.includes('yes')) return 'yes'
    if (line?.unread !== undefined) maybe = `The command cannot be read (${line.unread})`
    else if (matches.includes('maybe')) maybe = 'A word of the command is known only when it runs'
  }
  return maybe
}

function touches({ path, access = 'write' }: Rule, effect: Effect): boolean {
  const use = effect.kind === 'open-write' ? 'write' : effect.kind
  if (path === undefined || use !== access || !('path' in effect)) return false
  return picomatch.isMatch(effect.path, path, { dot: true })
}

function allows(allowing: readonly Rule[], effect: Effect, readings: ReadonlyMap<string, ShellLine>): boolean {
  // More than the sandbox gives is never allowed in general, only one path or host at a time.
  if (effect.kind === 'open-write' || effect.kind === 'open-host') return false
  if (allowing.some(({ command, path }) => command === undefined && path === undefined)) return true
  if (effect.kind !== 'run') return allowing.some((rule) => touches(rule, effect))
  const line = readings.get(effect.command)
  if (line === undefined || line.unread !== undefined || line.does.length > 0 || line.commands.length === 0)
    return false
  const prefixes = allowing.flatMap(({ command }) => (command === undefined ? [] : [prefixWords(command)]))
  return line.commands.every((command) => prefixes.some((prefix) => isExactly(command, prefix)))
}

function saying({ origin, reason, ...rule }: Rule, does: string): string {
  const what = rule.command ?? rule.path ?? rule.tool ?? ''
  return `a rule (${origin}) ${does} ${JSON.stringify(what)}${reason === undefined ? '' : `: ${reason}`}.`
}
