/** `[[rules]]` of the configuration: which calls are allowed, asked for or forbidden. Those of all places count together. */
import * as z from 'zod'
import type { Rule } from '../../agent/index.ts'
import { UsageError } from '../usage-error.ts'

/** What a place says, not checked yet. */
export interface RawRules {
  readonly value: unknown
  /** Where the rule of this index stands. */
  readonly origin: (index: number) => string
}

/** Rules by environment, as JSON: for machines whose files are not at hand. */
export const rulesVariable = 'CACHALOT_RULES'

const text = z.string().trim().min(1, 'must not be empty')

const schema = z
  .strictObject({
    action: z.enum(['allow', 'ask', 'deny'], 'must be allow, ask or deny'),
    tool: text.optional(),
    command: text.optional(),
    path: text.optional(),
    access: z.enum(['read', 'write'], 'must be read or write').optional(),
    reason: text.optional(),
  })
  .refine(({ tool, command, path }) => tool !== undefined || command !== undefined || path !== undefined, {
    message: 'needs tool, command or path: a rule over everything is the mode of the sandbox',
  })
  .refine(({ command, path }) => command === undefined || path === undefined, {
    message: 'takes command or path, not both: a command has no path of its own',
  })
  .refine(({ access, path }) => access === undefined || path !== undefined, { message: 'access goes with path' })
  .refine(
    ({ command }) => command === undefined || /^[^\s$`'"\\|&;<>(){}*?]+(\s+[^\s$`'"\\|&;<>(){}*?]+)*$/.test(command),
    {
      message: 'command takes the first words of one program, such as "git push", as they are',
    },
  )

/**
 * Checks the rules of one place. A repository's own file can only make it stricter: its `allow` rules are left out with a
 * warning. Throws UsageError for what is no rule: one that is misread must not be taken for none.
 */
export function checkRules(
  { value, origin }: RawRules,
  place: 'user' | 'repository',
): { readonly rules: readonly Rule[]; readonly warnings: readonly string[] } {
  if (!Array.isArray(value)) throw new UsageError(`${origin(0)}: rules must be a list: write [[rules]] before each`)
  const warnings: string[] = []
  const rules = value.flatMap((one: unknown, index): Rule[] => {
    const parsed = schema.safeParse(one)
    if (!parsed.success) {
      const problem = parsed.error.issues.map(({ path, message }) => [...path, message].join(' ')).join('; ')
      throw new UsageError(`${origin(index)}: rule ${index + 1}: ${problem}`)
    }
    if (place === 'repository' && parsed.data.action === 'allow') {
      warnings.push(`${origin(index)}: this rule is ignored: a repository may ask and deny, not allow`)
      return []
    }
    return [{ ...parsed.data, origin: origin(index) }]
  })
  return { rules, warnings }
}

/** The rules of the environment variable; undefined where it is not set. Throws UsageError when it is no JSON. */
export function environmentRules(json: string | undefined): RawRules | undefined {
  if (json === undefined || json.trim() === '') return undefined
  try {
    return { value: JSON.parse(json) as unknown, origin: () => rulesVariable }
  } catch (error) {
    throw new UsageError(`${rulesVariable}: must be a list of rules as JSON (${String(error)})`)
  }
}

/** The line of the n-th `[[rules]]`, counted from 1. */
export function ruleLine(toml: string, index: number): number | undefined {
  const lines = toml.split('\n').flatMap((line, at) => (/^\s*\[\[\s*rules\s*\]\]/.test(line) ? [at + 1] : []))
  return lines[index]
}
