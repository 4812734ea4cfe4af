/** The commands that look at this machine: registered here, loaded when chosen. */
import type { Command } from 'commander'

/** Adds `config`, `doctor`, `undo`, `redo` and `sandbox`. `exit` is told the exit code; usage errors are thrown. */
export function registerMachineCommands(program: Command, exit: (code: number) => void): void {
  program
    .command('config')
    .summary('show every setting, its value and where it comes from')
    .description('Show every setting, its value and where it comes from.')
    .option('--cwd <folder>', 'the folder whose .cachalot/config.toml counts')
    .action(async (flags: { cwd?: string }) => {
      const { showConfig } = await import('./config.ts')
      showConfig(flags)
    })

  program
    .command('doctor')
    .summary('say what works on this machine and what does not')
    .description(
      'Try the sandbox and the engine, say what this machine computes with and which models fit it at which context. Exit code 0: everything works, 1: not.',
    )
    .option('--json', 'the report as one JSON object')
    .option('--quick', 'leave out the measurement of memory, which takes 3 seconds')
    .option('--apparmor', 'print the AppArmor profile that lets bubblewrap work on Ubuntu 24.04, and nothing else')
    .action(async (flags: { json?: boolean; quick?: boolean; apparmor?: boolean }) => {
      const { doctorCommand } = await import('./doctor.ts')
      exit(await doctorCommand(flags))
    })

  for (const way of ['undo', 'redo'] as const) {
    const command = program
      .command(way)
      .summary(way === 'undo' ? 'take back what the last turns changed in files' : 'make again what was taken back')
      .description(
        way === 'undo'
          ? 'Take back what the last turn (or the last N) changed in files, what its commands did included. Refuses to overwrite what was changed since.'
          : 'Make again what undo took back.',
      )
      .argument('[N]', 'how many turns')
      .option('--force', 'overwrite what was changed since; the other way brings it back')
      .option('--cwd <folder>', 'the work tree')
    if (way === 'undo') command.option('--list', 'list the turns, the last one first')
    command.action(async (count: string | undefined, flags: { cwd?: string; list?: boolean; force?: boolean }) => {
      const { undoCommand } = await import('./undo.ts')
      exit(await undoCommand(way, count, flags))
    })
  }

  program
    .command('sandbox')
    .summary("run a command in the sandbox of the model's commands")
    .description(
      "Run a command in the same sandbox as the model's commands. The exit code is the command's; 4 with a message when there is no sandbox.",
    )
    .argument('[command...]', 'after --: one word is a line for bash, several are a program and its arguments')
    .option('--cwd <folder>', 'work in this folder')
    .option('--net', 'with the network of this machine')
    .option(
      '--host <name>',
      'may reach that host: example.org, *.example.org, example.org:8080 (can be repeated)',
      (host: string, all: string[]) => [...all, host],
      [],
    )
    .option(
      '--write <path>',
      'may write there too (can be repeated)',
      (path: string, all: string[]) => [...all, path],
      [],
    )
    .option('--explain', 'say what is guaranteed, what may be written and what is hidden')
    .action(async (words: string[], flags: Record<string, unknown>) => {
      const { sandboxCommand } = await import('./sandbox.ts')
      exit(await sandboxCommand(words, flags))
    })
}
