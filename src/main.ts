/** The commands of the program, as commander reads them. Each command's code is loaded when it is chosen. */
import { Command, CommanderError, Option } from 'commander'
import { registerMachineCommands } from './commands/register.ts'
import { registerCiCommand } from './commands/register-ci.ts'
import { registerContextCommands } from './commands/register-context.ts'
import { registerProtocolCommands } from './commands/register-protocols.ts'
import { registerRemoteCommand } from './commands/register-remote.ts'
import { registerSessionCommands } from './commands/register-sessions.ts'
import { settingNames, settings } from './config/settings.ts'
import { registerGpuCommand } from './gpu/register.ts'
import { help } from './help.ts'
import { registerModelCommand } from './model/index.ts'
import { nearest } from './nearest.ts'
import { UsageError, usageExitCode } from './usage-error.ts'
import { version } from './version.ts'

/** Runs the program on the words after its name and gives the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  let code = 0
  const program = buildProgram((result) => {
    code = result
  })
  try {
    await program.parseAsync(rewrite(words, program), { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`cachalot: ${error.message}\n`)
    return usageExitCode
  }
}

/** All commands. `exit` is told the exit code of the one that runs. */
export function buildProgram(exit: (code: number) => void): Command {
  const program = new Command('cachalot')
    .exitOverride()
    .version(version, '-V, --version')
    .showSuggestionAfterError(true)
    .showHelpAfterError('All options: --help')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'cachalot: ')) })
  program.helpInformation = () => help

  withSettings(
    program
      .command('run')
      .summary('do one task and end')
      .description('Do one task in this folder and end. The task is the words given, or stdin, or both.')
      .argument('[task...]', 'what to do; `-` stands for stdin, `@file` for a file')
      .option('--json', 'one JSON event a line on stdout, the last one `result`')
      .option('--output-format <form>', 'text, json (only the result) or stream-json (the same as --json)')
      .option('--patch <file>', 'write what the run changed there, for git apply')
      .option('--commit', 'commit what the run changed, when it is done')
      .option('--worktree', 'work in a git worktree of its own, on a new branch; your files stay as they are')
      .option('--dry-run', 'show the plan, and touch nothing')
      .option('--best-of <n>', 'so many attempts in worktrees of their own; the cheapest that passes --check is taken')
      .option('--output-schema <file>', 'the result has to be JSON that this JSON Schema allows; else exit code 1')
      .option(
        '--image <file>',
        'a picture that goes with the task, for models with vision (can be repeated)',
        (file: string, all: string[]) => [...all, file],
        [],
      )
      .option('--resume <id>', 'go on with an earlier session of this folder: its id, or `last`')
      .option('--quiet', 'only the result on stdout')
      .option('--no-color', 'no colours (also: NO_COLOR=1)'),
  )
    .addHelpText('after', runExamples)
    .action(async (task: string[], flags: Record<string, unknown>) => {
      const { runOnce } = await import('./run/run.ts')
      exit(await runOnce(task, flags))
    })

  withSettings(
    program
      .command('fix')
      .summary('repair what a failing check complains of')
      .description(
        'Run the check in the sandbox, repair what it complains of, and run it again. A change that only silences the check is taken back. Exit code 0 only when the check passes then.',
      )
      .option('--check <command>', 'the command that fails and has to pass')
      .option('--check-seconds <n>', 'a run of the check may take so long (default: 600)')
      .option('--rounds <n>', 'how often the model may try (default: 3)')
      .option('--best-of <n>', 'so many attempts, each in a worktree of its own; the smallest that passes is taken')
      .option(
        '--allow <kinds>',
        'changes that are refused otherwise: tests, snapshots, ci, locks, skips, thresholds, check, packages',
        (kinds: string, all: string[]) => [...all, kinds],
        [],
      )
      .option('--patch <file>', 'write the repair there, for git apply')
      .option('--report <file>', 'write the report there, as Markdown')
      .option('--json', 'one JSON event a line on stdout, the last one `result`')
      .option('--no-color', 'no colours (also: NO_COLOR=1)'),
  )
    .addHelpText('after', fixExamples)
    .action(async (flags: Record<string, unknown>) => {
      const { fixCheck } = await import('./fix/fix.ts')
      exit(await fixCheck(flags))
    })

  registerCiCommand(program, exit)
  registerModelCommand(program, exit)
  registerGpuCommand(program, exit)

  registerMachineCommands(program, exit)
  registerRemoteCommand(program)

  registerContextCommands(program, exit, withSettings)
  registerSessionCommands(program, exit, withSettings)
  registerProtocolCommands(program, exit, withSettings)

  withSettings(
    program
      .command('interactive', { isDefault: true, hidden: true })
      .option('-c, --continue', 'go on with the last session of this folder')
      .option('-r, --resume', 'choose an earlier session to go on with'),
  ).action(async (flags: Record<string, unknown>) => {
    const { runInteractive } = await import('./tui/index.ts')
    const session = flags['resume'] === true ? 'pick' : flags['continue'] === true ? 'newest' : 'new'
    exit(await runInteractive({ flags, session }))
  })
  return program
}

const runExamples = `
Examples:
  cachalot run "Add a --json flag to cli.py"
  npm test 2>&1 | cachalot run "Make this test pass"
  cachalot run "Rename load to readConfig everywhere" --check "npm test" --worktree --commit
  cachalot run "Split parse.ts into two files" --dry-run
  cachalot run "Which licence is this?" --output-schema answer.schema.json --quiet
  cachalot run --cwd ../site --model ./model.gguf "Fix the broken link in index.html"

Exit codes: 0 done, 1 not done, 2 usage, 3 model or engine, 4 sandbox missing, 5 limit reached, 7 denied,
130 interrupted`

const fixExamples = `
Examples:
  cachalot fix --check "npm test"
  cachalot fix --check "cargo test" --patch fix.patch --report fix.md
  cachalot fix --check "npx vitest run" --allow snapshots

Exit codes: 0 fixed, 1 not fixed, 2 usage, 3 model or engine, 4 sandbox missing, 5 limit reached,
6 not reproducible (green or flaky), 7 refused (it would pass only by a change that is not allowed), 130 interrupted`

/** The flags that choose where to work and the settings that have a flag. */
function withSettings(command: Command): Command {
  command.option('--cwd <folder>', 'work in this folder')
  for (const name of settingNames) {
    const { flag, help: text, fallback } = settings[name]
    if (flag === undefined) continue
    const option = new Option(flag, fallback === undefined ? text : `${text} (default: ${String(fallback)})`)
    // A command may have words of its own for a flag.
    if (!command.options.some(({ long }) => long === option.long)) command.addOption(option)
  }
  return command
}

/**
 * `cachalot -p "task"` is `cachalot run "task"`; a first word that is no command gets the nearest one named, and the
 * way to give it as a task.
 */
function rewrite(words: readonly string[], program: Command): string[] {
  const names = program.commands.map((command) => command.name())
  const first = words[0]
  const end = words.indexOf('--')
  const options = end === -1 ? words : words.slice(0, end)
  const print = options.findIndex((word) => word === '-p' || word === '--print')
  if (print !== -1 && (first === undefined || first === 'run' || first.startsWith('-'))) {
    return ['run', ...words.filter((_, at) => at !== print && !(at === 0 && first === 'run'))]
  }
  if (first !== undefined && !first.startsWith('-') && first !== 'help' && !names.includes(first)) {
    const meant = nearest(first, names)
    throw new UsageError(
      `unknown command "${first}"${meant === undefined ? '.' : `; did you mean "${meant}"?`} To give a task: cachalot run "${first}${words.length > 1 ? ' …' : ''}"`,
    )
  }
  return [...words]
}
