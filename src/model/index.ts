/** `cachalot model`: the models on this machine. Registers the commands; the code of each is loaded when it is chosen. */
import type { Command } from 'commander'
import { nearest } from '../nearest.ts'
import { sanitizeLine } from '../terminal/sanitize.ts'
import { UsageError } from '../usage-error.ts'

/** Adds `model` and its subcommands. `exit` is told the exit code: 0, 1 failed, 130 interrupted; usage errors are thrown. */
export function registerModelCommand(program: Command, exit: (code: number) => void): void {
  const model = program
    .command('model')
    .summary('list, pull, use and remove models')
    .description('The models on this machine: list, fetch, choose and remove them.')
    .allowExcessArguments()
    .action(async (_flags: unknown, command: Command) => {
      const word = command.args[0]
      if (word !== undefined) throw unknownCommand(word, command)
      const { listCommand } = await import('./list.ts')
      exit(await listCommand({}))
    })

  model
    .command('list')
    .description('Show every model of the catalog and every one that was added: size, place, licence, whether it fits.')
    .option('--json', 'one JSON array on stdout')
    .action(async (flags: { json?: boolean }) => {
      const { listCommand } = await import('./list.ts')
      exit(await listCommand(flags))
    })

  model
    .command('pull')
    .description('Fetch a model, or add a model file that is here already (it stays where it is).')
    .argument('[model]', 'catalog name, hf:owner/repo/file.gguf, or path of a .gguf file; default: the one in use')
    .option('--name <name>', 'call it this (hf: and paths)')
    .action(async (wanted: string | undefined, flags: { name?: string }) => {
      const { pullCommand } = await import('./pull.ts')
      exit(await pullCommand(wanted, flags))
    })

  model
    .command('use')
    .description('Make a model the one that is used: writes `model` to your config.toml and leaves the rest as it is.')
    .argument('<model>', 'name or path')
    .action(async (wanted: string) => {
      const { useCommand } = await import('./use.ts')
      exit(await useCommand(wanted))
    })

  model
    .command('rm')
    .description('Delete a downloaded model. A file of your own that was added is only forgotten, never deleted.')
    .argument('<model>', 'name')
    .action(async (wanted: string) => {
      const { removeCommand } = await import('./remove.ts')
      exit(await removeCommand(wanted))
    })

  model
    .command('show')
    .description('Show one model before it is loaded: where it is, how it is spoken to, what it takes at each context.')
    .argument('[model]', 'name or path; default: the one in use')
    .option('--json', 'print one JSON object')
    .option('--dialect <name>', 'as with this dialect, where the file does not tell')
    .action(async (wanted: string | undefined, flags: Record<string, unknown>) => {
      const { showCommand } = await import('./show.ts')
      exit(await showCommand(wanted, flags))
    })

  model
    .command('path')
    .description("Print the path of a model's file. Exit code 1 when it is not on this machine.")
    .argument('[model]', 'name; default: the one in use')
    .action(async (wanted: string | undefined) => {
      const { pathCommand } = await import('./path.ts')
      exit(await pathCommand(wanted))
    })
}

function unknownCommand(word: string, model: Command): UsageError {
  const names = model.commands.map((command) => command.name())
  const meant = nearest(word, names)
  const hint = meant === undefined ? `Known: ${names.join(', ')}` : `Did you mean "${meant}"?`
  return new UsageError(`unknown command "model ${sanitizeLine(word)}". ${hint}`)
}
