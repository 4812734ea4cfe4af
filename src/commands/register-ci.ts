/** The steps of a CI job: registered here, loaded when chosen. Settings of `fix` and `run` go behind `--`. */
import type { Command } from 'commander'
import type { GateFlags, PublishFlags } from '../ci/command.ts'
import type { WorkFlags } from '../ci/work.ts'

const each = (word: string, all: readonly string[]): string[] => [...all, word]
const cheats = 'changes that are refused otherwise: tests, snapshots, ci, locks, skips, thresholds, check, packages'

/** Adds `ci` with `gate`, `work` and `publish`. `exit` is told the exit code; usage errors are thrown. */
export function registerCiCommand(program: Command, exit: (code: number) => void): void {
  const ci = program
    .command('ci')
    .summary('the steps of the GitHub Action and the GitLab template')
    .description(
      'The steps of a job that nobody watches: gate (who may set it off), work (the model, without secrets and network), publish (the patch is looked at and pushed, without a model). See docs/ci.md.',
    )
  ci.command('gate')
    .description(
      'Decide whether the event of this workflow may set off work, and what it is. Output: allowed, reason, branch, base.',
    )
    .requiredOption('--out <folder>', 'where the task is written for work')
    .option('--trigger <word>', 'what a comment has to begin with', '/cachalot')
    .option('--allow-forks', 'also for pull requests from other repositories; their patch is only told as a comment')
    .action(async (flags: GateFlags) => {
      const { gateCommand } = await import('../ci/command.ts')
      exit(await gateCommand(flags))
    })
  ci.command('work')
    .description(
      'Do what the gate decided, with instruction files from the base, no network and no secrets; leave a patch and a report.',
    )
    .argument('[flags...]', 'after --: flags for fix or run, such as --model or --best-of')
    .requiredOption('--out <folder>', 'where patch and report go')
    .option('--cwd <folder>', 'work in this folder')
    .option('--check <command>', 'the command that has to pass')
    .option('--base <commit>', 'the commit whose AGENTS.md and .cachalot count')
    .option('--network <how>', 'off (needs root or sudo) or keep', 'off')
    .option('--allow <kinds>', cheats, each, [])
    .action(async (words: string[], flags: WorkFlags) => {
      const { workCommand } = await import('../ci/command.ts')
      exit(await workCommand(flags, words))
    })
  ci.command('publish')
    .description(
      'Look at the patch (size, paths, protected files) and publish it. Runs no model and no code of the repository.',
    )
    .requiredOption('--from <folder>', 'what work left')
    .option('--to <form>', 'pull-request, branch or comment', 'pull-request')
    .option('--trigger <word>', 'as for gate', '/cachalot')
    .option('--allow-forks', 'as for gate')
    .option('--check <command>', 'as for work: its own files may not change')
    .option('--allow <kinds>', cheats, each, [])
    .option(
      '--protect <path>',
      'one more file, or folder with a trailing /, that may not change (can be repeated)',
      each,
      [],
    )
    .option('--remote <address>', 'push there')
    .option('--max-files <n>', 'files that a patch may change', '30')
    .option('--max-lines <n>', 'lines that a patch may add and remove', '1000')
    .option('--max-bytes <n>', 'bytes of the patch', '262144')
    .action(async (flags: PublishFlags) => {
      const { publishCommand } = await import('../ci/command.ts')
      exit(await publishCommand(flags))
    })
}
