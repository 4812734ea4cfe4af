/** The commands that look at earlier sessions: registered here, loaded when chosen. */
import type { Command } from 'commander'

/** Adds `audit` and `replay`. `withSettings` adds the flags that are settings. */
export function registerSessionCommands(
  program: Command,
  exit: (code: number) => void,
  withSettings: (command: Command) => Command,
): void {
  program
    .command('audit')
    .summary('what a session did: commands, files, network, approvals')
    .description(
      'List what a session was asked, ran, changed, reached and was allowed, from its log, and verify the chain of digests through the log. Exit code 1 when the log is not as it was written.',
    )
    .argument(
      '<session>',
      'its id or the beginning of it, `last` for the last one of this folder, or the path of a log',
    )
    .option('--json', 'the report as one JSON object')
    .option('--cwd <folder>', 'the folder that `last` speaks of')
    .action(async (session: string, flags: { cwd?: string; json?: boolean }) => {
      const { auditCommand } = await import('./audit.ts')
      exit(await auditCommand(session, flags))
    })

  withSettings(
    program
      .command('replay')
      .summary('hold a session once more and tell the first difference')
      .description(
        'Give the model again what it was given, with the recorded results in place of the tools, and tell the first reply that is another one. Nothing is run and nothing is written. Exit code 0: all replies are the same, 1: not.',
      )
      .argument('<session>', 'its id or the beginning of it, `last`, or the path of a log')
      .option('--json', 'the report as one JSON object'),
  ).action(async (session: string, flags: Record<string, unknown>) => {
    const { replayCommand } = await import('./replay.ts')
    exit(await replayCommand(session, flags))
  })
}
