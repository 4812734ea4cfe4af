/** The commands and their options as data, from the very objects that read the command line and print the help. */
import type { Command } from 'commander'

export interface OptionEntry {
  /** `--json`; undefined for one that has only a letter. */
  readonly long: string | undefined
  readonly short: string | undefined
  /** As it is written in the help: `-m, --model <name>`. */
  readonly flags: string
  readonly takesValue: boolean
  readonly description: string
}

export interface CommandEntry {
  /** The words after the program's name: `['model', 'list']`. */
  readonly path: readonly string[]
  readonly summary: string
  readonly description: string
  /** As it is written in the help: `[options] [task...]`. */
  readonly usage: string
  readonly options: readonly OptionEntry[]
  readonly commands: readonly CommandEntry[]
}

/** Hidden commands are left out; the options of the one that runs by default belong to the program itself. */
export function commandTable(program: Command): CommandEntry {
  return entryOf(program, [])
}

function entryOf(command: Command, path: readonly string[]): CommandEntry {
  const help = command.createHelp()
  const shown = help.visibleCommands(command).filter((each) => each.name() !== 'help')
  const usual = command.commands.find((each) => each.name() === 'interactive')
  const options = [...help.visibleOptions(command), ...(usual === undefined ? [] : usual.options)]
  return {
    path,
    summary: command.summary() || command.description(),
    description: command.description(),
    usage: command.usage(),
    options: options.map(({ long, short, flags, required, optional, description }) => ({
      long,
      short,
      flags,
      takesValue: required || optional,
      description,
    })),
    commands: shown.map((each) => entryOf(each, [...path, each.name()])),
  }
}

/** The command and all that are under it, it first. */
export function everyCommand(entry: CommandEntry): CommandEntry[] {
  return [entry, ...entry.commands.flatMap(everyCommand)]
}
