/** Programs that start other programs: by name behind their own, or by a line that they are given. */
import type { ShellCommand } from './command.ts'

type Words = ShellCommand['words']

const wrappers = new Set([
  ...['sudo', 'doas', 'env', 'command', 'builtin', 'exec', 'nohup', 'nice', 'ionice', 'time', 'timeout', 'stdbuf'],
  ...[
    'setsid',
    'xargs',
    'parallel',
    'find',
    'fd',
    'watch',
    'strace',
    'ltrace',
    'busybox',
    'chroot',
    'unshare',
    'flock',
  ],
  ...['coproc', 'su', 'runuser', 'ssh', 'ssh-agent', 'script', 'entr', 'npx', 'setpriv', 'prlimit', 'taskset', 'chrt'],
  ...['unbuffer', 'dbus-run-session', 'systemd-run', 'nsenter', 'setarch', 'firejail', 'torsocks', 'proxychains'],
])
const shells = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh', 'ash'])

const nameOf = (word: string): string => word.slice(word.lastIndexOf('/') + 1)

/** Whether a program starts the one that is named after it. */
export const startsOthers = (name: string | null): boolean => name !== null && wrappers.has(nameOf(name))

/** The words of a command, and after them null where the program in it gets more from elsewhere: `… | xargs git`. */
export function withUnseen(words: Words): Words {
  const feeds = (word: string | null, at: number): boolean =>
    word !== null && /^(?:xargs|parallel)$/.test(nameOf(word)) && (at === 0 || startsOthers(words[0] ?? null))
  if (!words.some(feeds)) return words
  const end = words.findIndex((word) => word !== null && /^:::/.test(word))
  return [...(end < 0 ? words : words.slice(0, end)), null]
}

/** Lines that a command gives to a shell: `bash -c LINE`, `eval LINE`; null where it runs what cannot be seen. */
export function inlineScripts({ words }: ShellCommand): (string | null)[] {
  const [first = null] = words
  const wraps = startsOthers(first)
  return words.flatMap((word, at): (string | null)[] => {
    if (word === null || (at > 0 && !wraps)) return []
    const rest = words.slice(at + 1)
    const name = nameOf(word)
    if (shells.has(name)) return shellScripts(rest)
    if (name === 'git') return gitScripts(rest)
    if (wrappers.has(name)) return wrapperScripts(name, rest)
    if (name === 'eval') return [joined(rest)]
    if (name === 'source' || name === '.') return at === 0 ? [null] : []
    if (name === 'trap') return trapScripts(rest)
    // A line that turns aliases on would run it under another name.
    if (name === 'alias')
      return rest.flatMap((each) => (each === null ? [null] : each.split('=').slice(1).join('=') || []))
    return []
  })
}

const joined = (words: Words): string | null => (words.includes(null) ? null : words.join(' '))

function shellScripts(rest: Words): (string | null)[] {
  const flag = rest.findIndex((each) => each !== null && /^-[a-z]*c[a-z]*$/i.test(each))
  if (flag >= 0) return [rest[flag + 1] ?? null]
  // Without a file it reads what it is given.
  return rest.every((each) => each === null || each.startsWith('-')) ? [null] : []
}

/** `script -c LINE`, `env -S LINE`, and those that give all of their words to a shell. */
function wrapperScripts(name: string, rest: Words): (string | null)[] {
  const given = rest.flatMap((each, at): (string | null)[] => {
    const next = rest[at + 1] ?? null
    if (each === null) return []
    if (name === 'env' && /^-[a-z]*S$|^--split-string$/.test(each)) return [next]
    if (name === 'env' && /^(?:-S|--split-string=)./.test(each)) return [each.replace(/^-S|^--split-string=/, '')]
    if (/^(?:su|runuser|script|flock)$/.test(name) && /^-[a-z]*c$|^--command$/.test(each)) return [next]
    return each.startsWith('--command=') ? [each.slice('--command='.length)] : []
  })
  const toShell = /^(?:watch|parallel|ssh|entr)$/.test(name)
  return toShell ? [...given, ...rest.filter((each) => each !== null && /\s/.test(each))] : given
}

/** Handlers run when a signal comes, and at the end of the line. */
function trapScripts(rest: Words): (string | null)[] {
  const [handler] = rest.filter((each) => each !== '--')
  if (handler === undefined || handler === '' || handler?.startsWith('-') === true) return []
  return [handler]
}

/** Settings of git by which it starts another command, under a name of its own or while it does its work. */
const STARTING =
  /^(?:alias|pager|filter|gpg|credential|difftool|mergetool|sequence|uploadpack)\.|^core\.(?:pager|editor|sshcommand|fsmonitor|hookspath|askpass|gitproxy)|^diff\.external|\.(?:command|textconv|driver|cmd|vcs)=/i

function gitScripts(rest: Words): (string | null)[] {
  return rest.flatMap((each, at): (string | null)[] => {
    const after = rest.slice(at + 1)
    if (each === '-c') return after[0] === null || STARTING.test(after[0] ?? '') ? [null] : []
    if (each?.startsWith('--config-env') === true) return [null]
    if (rest.includes('rebase') && /^(?:-x|--exec)$/.test(each ?? '')) return [after[0] ?? null]
    if (rest.includes('rebase') && each?.startsWith('--exec=') === true) return [each.slice('--exec='.length)]
    const runs = (each === 'run' && rest[at - 1] === 'bisect') || (each === 'foreach' && rest.includes('submodule'))
    return runs ? [joined(after.filter((word) => word !== '--recursive'))] : []
  })
}
