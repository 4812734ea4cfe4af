/** The commands that the user named: type check, linter, and the check that decides. */
import { lastLines, runCommand, toldCharacters } from './command.ts'
import type { Check, Verdict } from './types.ts'

/** Seconds that a command of the user may take. */
const seconds = 600

const named =
  (key: 'check' | 'types' | 'lint'): Check =>
  async (context): Promise<Verdict | undefined> => {
    const line = context.commands[key]
    if (line === undefined || line.trim() === '') return undefined
    const { outcome, exitCode, output, hint } = await runCommand(context, line, { seconds, writes: true })
    const passed = outcome === 'exited' && exitCode === 0
    if (passed) return { name: key, passed, detail: line }
    const how = outcome === 'timed-out' ? `did not end within ${seconds} s` : `exit code ${exitCode}`
    const said = [lastLines(output, toldCharacters - 200), hint].filter(Boolean).join('\n')
    return {
      name: key,
      passed,
      detail: `${line}: ${how}\n${said}`.trim(),
      ...(key === 'check' ? {} : { compares: 'failed' }),
    }
  }

export const types = named('types')
export const lint = named('lint')
/** `--check`. It must pass, also where it failed before: that is what it is for. */
export const given = named('check')
