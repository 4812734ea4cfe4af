/** The command about remote servers: registered here, loaded when chosen. */
import type { Command } from 'commander'

/** Adds `remote`, with `remote show <preset>`. */
export function registerRemoteCommand(program: Command): void {
  const remote = program
    .command('remote')
    .summary('servers for models too large for this machine')
    .description('The kinds of server that --preset knows.')
  remote
    .command('list', { isDefault: true })
    .description('List the presets.')
    .action(async () => {
      const { listPresets } = await import('./remote.ts')
      listPresets()
    })
  remote
    .command('show')
    .description('What a preset sets, and the command that serves DeepSeek V4 for it.')
    .argument('<preset>')
    .action(async (name: string) => {
      const { showPreset } = await import('./remote.ts')
      showPreset(name)
    })
}
