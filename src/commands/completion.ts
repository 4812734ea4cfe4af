/** `cachalot completion`: scripts by which shells complete commands and options. */
import { UsageError } from '../usage-error.ts'
import { type CommandEntry, everyCommand, type OptionEntry } from './command-table.ts'

const shells: Readonly<Record<string, (table: CommandEntry) => string>> = { bash, zsh, fish }

/** The script for a shell. Throws UsageError for one that is not known. */
export function completion(shell: string, table: CommandEntry): string {
  const script = Object.hasOwn(shells, shell) ? shells[shell] : undefined
  if (script === undefined) throw new UsageError(`completion: bash, zsh or fish (it is "${shell}")`)
  return script(table)
}

const words = ({ long, short }: OptionEntry): string[] => [long, short].filter((word) => word !== undefined)

/** In single quotes, for any shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The words so far, without options and their values, as far as they are commands: `model list`. Same in both shells. */
function walk(table: CommandEntry): string {
  const under = everyCommand(table).flatMap(({ path, commands }) =>
    commands.map((each) => quoted([...path, each.path.at(-1)].join(' '))),
  )
  return `    case "\${place:+$place }$word" in\n      ${under.join('|')}) place="\${place:+$place }$word" ;;\n    esac`
}

function bash(table: CommandEntry): string {
  const cases = everyCommand(table).map(({ path, options, commands }) => {
    const names = commands.map((each) => each.path.at(-1)).join(' ')
    const values = options.filter(({ takesValue }) => takesValue).flatMap(words)
    return [
      `    ${quoted(path.join(' '))})`,
      `      commands=${quoted(names)}`,
      `      options=${quoted(options.flatMap(words).join(' '))}`,
      `      values=${quoted(values.join(' '))}`,
      '      ;;',
    ].join('\n')
  })
  return `# bash completion of cachalot: eval "$(cachalot completion bash)"
_cachalot() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="" place="" word commands options values
  [ "$COMP_CWORD" -gt 0 ] && before="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
${walk(table)}
  done
  case "$place" in
${cases.join('\n')}
  esac
  COMPREPLY=()
  # What an option takes is a name or a file: the shell's own completion knows about files.
  case " $values " in *" $before "*) return ;; esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [ -n "$commands" ]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  fi
}
complete -o default -F _cachalot cachalot
`
}

function zsh(table: CommandEntry): string {
  // A colon divides a word from what is said of it.
  const described = (word: string, text: string): string => quoted(`${word.replaceAll(':', '\\:')}:${text}`)
  const cases = everyCommand(table).map(({ path, options, commands }) => {
    const names = commands.map((each) => described(each.path.at(-1) ?? '', each.summary))
    const flags = options.flatMap((option) => words(option).map((word) => described(word, option.description)))
    return `    ${quoted(path.join(' '))})\n      commands=(${names.join(' ')})\n      options=(${flags.join(' ')})\n      ;;`
  })
  return `#compdef cachalot
# zsh completion of cachalot: cachalot completion zsh > a folder of $fpath/_cachalot
_cachalot() {
  local place="" word
  local -a commands options
  for word in "\${words[@]:1:$((CURRENT-2))}"; do
${walk(table)}
  done
  case "$place" in
${cases.join('\n')}
  esac
  if [[ "$PREFIX" == -* ]]; then
    _describe -o option options
  elif (( \${#commands} )); then
    _describe command commands
  else
    _files
  fi
}
if [ "\${funcstack[1]}" = _cachalot ]; then _cachalot "$@"; else compdef _cachalot cachalot; fi
`
}

function fish(table: CommandEntry): string {
  const lines = everyCommand(table).flatMap((entry) => {
    const { path, options, commands } = entry
    const rest =
      path.length === 0
        ? '__fish_use_subcommand'
        : path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
    const names = commands.map((each) => each.path.at(-1) ?? '')
    const free =
      path.length === 0 || names.length === 0 ? rest : `${rest}; and not __fish_seen_subcommand_from ${names.join(' ')}`
    return [
      ...commands.map(
        (each) => `complete -c cachalot -f -n ${quoted(free)} -a ${each.path.at(-1)} -d ${quoted(each.summary)}`,
      ),
      ...options.map(({ long, short, takesValue, description }) =>
        [
          `complete -c cachalot -n ${quoted(rest)}`,
          ...(long === undefined ? [] : [`-l ${long.slice(2)}`]),
          ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
          ...(takesValue ? ['-r'] : []),
          `-d ${quoted(description)}`,
        ].join(' '),
      ),
    ]
  })
  return `# fish completion of cachalot: cachalot completion fish > ~/.config/fish/completions/cachalot.fish\n${lines.join('\n')}\n`
}
