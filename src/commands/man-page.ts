/** `cachalot man`: the manual page, in roff (man(7)). */
import { type CommandEntry, everyCommand, type OptionEntry } from './command-table.ts'

/** The whole page. `help`: the text of --help, whose examples and exit codes it ends with. */
export function manPage(table: CommandEntry, version: string, help: string): string {
  const commands = everyCommand(table).filter(({ path }) => path.length > 0)
  return `${[
    `.TH CACHALOT 1 "" "Cachalot ${text(version)}" "User Commands"`,
    '.SH NAME',
    'cachalot \\- a coding agent for the terminal with its own embedded model',
    '.SH SYNOPSIS',
    '.B cachalot',
    '.RI [ options ]',
    ...['run', 'fix'].flatMap((name) => ['.br', `.B cachalot ${name}`, '.RI [ options ]']),
    ...['.br', '.B cachalot', '.I command', '.RI [ options ]'],
    '.SH DESCRIPTION',
    text(
      'Cachalot edits files, runs commands in a sandbox, and says that it is done only when what it tried has worked. Without a command it starts an interactive session in this folder.',
    ),
    '.SH OPTIONS',
    ...table.options.flatMap(optionLines),
    '.SH COMMANDS',
    ...commands.flatMap((entry) => [
      `.SS "cachalot ${text(entry.path.join(' '))} ${text(entry.usage)}"`,
      text(entry.description),
      ...entry.options.flatMap(optionLines),
    ]),
    '.SH EXAMPLES AND EXIT CODES',
    '.nf',
    ...help.slice(help.indexOf('Examples:')).split('\n').map(text),
    '.fi',
    '.SH FILES',
    ...['~/.config/cachalot/config.toml', 'The user\\(aqs settings; cachalot config shows them all.'].map((line, at) =>
      at === 0 ? `.TP\n.I ${text(line)}` : line,
    ),
    ...['.TP', `.I ${text('.cachalot/config.toml')}`, 'Settings of a folder; those that could harm are ignored there.'],
    '.SH SEE ALSO',
    '.BR bwrap (1)',
  ].join('\n')}\n`
}

const optionLines = ({ flags, description }: OptionEntry): string[] => ['.TP', `.B ${text(flags)}`, text(description)]

/** Text of ours as roff shows it: backslashes and hyphens as such, and no line that begins with a request. */
function text(words: string): string {
  const safe = words.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('"', '\\(dq')
  return /^[.']/.test(safe) ? `\\&${safe}` : safe
}
