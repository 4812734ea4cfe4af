/** The commands that the user named: type check, linter, and the check that decides. */
import { runCommand, toldCharacters } from './command.ts'
import { foldLog } from './fold.ts'
import type { Check, Verdict } from './types.ts'

/** Seconds that a command of the user may take. */
const seconds = 600

/** What a command printed, as much as a model is told: of a longer output what fails, not how it ends. Paths as the model knows them. */
function told(output: string, root: string): string {
  const text = output.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '').trim()
  const most = toldCharacters - 200
  return text.length <= most ? text : foldLog(text, most)
}

const named =
  (key: 'check' | 'types' | 'lint'): Check =>
  async (context): Promise<Verdict | undefined> => {
    const line = context.commands[key]
    if (line === undefined || line.trim() === '') return undefined
    const { outcome, exitCode, output, hint } = await runCommand(context, line, { seconds, writes: true })
    const passed = outcome === 'exited' && exitCode === 0
    if (passed) return { name: key, passed, detail: line }
    const how = outcome === 'timed-out' ? `did not end within ${seconds} s` : `exit code ${exitCode}`
    const said = [told(output, context.workspace.root), hint].filter(Boolean).join('\n')
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
