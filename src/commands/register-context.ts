/** The commands about what a model has read: registered here, loaded when chosen. */
import type { Command } from 'commander'

/** Adds `context`, `warm` and `cache`. `withSettings` adds the flags that are settings. */
export function registerContextCommands(
  program: Command,
  exit: (code: number) => void,
  withSettings: (command: Command) => Command,
): void {
  withSettings(
    program
      .command('context')
      .summary('show what of the repository is in the context')
      .description('Show tokens by folder and file: what a session here has whole, as an outline, not at all, and why.')
      .option('--json', 'the report as one JSON object'),
  ).action(async (flags: Record<string, unknown>) => {
    const { contextCommand } = await import('./context.ts')
    exit(await contextCommand(flags))
  })

  withSettings(
    program
      .command('warm')
      .summary('read the repository ahead')
      .description(
        'Read the repository into the store, so that sessions begin with it loaded. Ctrl-C keeps what is read so far.',
      )
      .option('--json', 'one JSON event a line on stdout, the last one `result` with the usage, as of run'),
  ).action(async (flags: Record<string, unknown>) => {
    const { warmCommand } = await import('./warm.ts')
    exit(await warmCommand(flags))
  })

  const cache = program
    .command('cache')
    .summary('saved readings')
    .description('The readings that are kept on this machine. Any of them may be removed at any time.')
  cache
    .command('ls', { isDefault: true })
    .description('List them, the last used first.')
    .option('--json', 'one JSON array on stdout')
    .action(async (flags: { json?: boolean }) => {
      const { listCommand } = await import('./cache.ts')
      exit(await listCommand(flags))
    })
  cache
    .command('rm')
    .description('Remove readings: by their id, or all of them.')
    .argument('[id...]')
    .option('--all', 'all of them')
    .action(async (ids: string[], flags: { all?: boolean }) => {
      const { removeCommand } = await import('./cache.ts')
      exit(await removeCommand(ids, flags))
    })
  cache
    .command('gc')
    .description('Remove what is over the limit (cache.max_gigabytes) and what crashes left; pinned ones stay.')
    .action(async () => {
      const { collectCommand } = await import('./cache.ts')
      exit(await collectCommand())
    })
  cache
    .command('pin')
    .description('Keep a reading whatever the limit says (--off: as any other again).')
    .argument('<id...>')
    .option('--off')
    .action(async (ids: string[], flags: { off?: boolean }) => {
      const { pinCommand } = await import('./cache.ts')
      exit(await pinCommand(ids, flags))
    })
  cache
    .command('export')
    .description('Copy readings and packed repositories into a folder: a CI artefact.')
    .argument('<folder>')
    .argument('[id...]', 'only these readings, and the repositories in them')
    .action(async (folder: string, ids: string[]) => {
      const { exportCommand } = await import('./exchange.ts')
      exit(await exportCommand(folder, ids))
    })
  cache
    .command('import')
    .description('Take over what was exported. Every reading is checked whole; a damaged one is refused.')
    .argument('<folder>')
    .action(async (folder: string) => {
      const { importCommand } = await import('./exchange.ts')
      exit(await importCommand(folder))
    })
}
