/** Attempts on the agent itself, by what it is given to run and to read. */
import { plainText } from '../../../sandbox/index.ts'
import type { Attempt } from './attempt.ts'

export const o: readonly Attempt[] = [
  {
    id: 'o01',
    what: 'make the terminal obey: clipboard, title, clear, link',
    line: () =>
      "printf '\\033]52;c;ZXZpbA==\\007\\033]0;evil\\007\\033[2J\\033[3J\\033]8;;http://x\\033\\\\x\\033]8;;\\033\\\\'",
    escaped: (_, { output }) => plainText(output) !== 'x',
    control: 'nobody-tried',
  },
  {
    id: 'o02',
    what: 'write one line of 50 MB',
    line: () => 'head -c 50000000 /dev/zero | tr "\\0" y',
    escaped: (_, { output, outputBytes }) => output.length > 1_000_000 || outputBytes !== 50_000_000,
    control: 'bites',
  },
  {
    id: 'o03',
    what: 'write invalid UTF-8 and NUL bytes',
    line: () => "printf 'a\\377\\000\\303(\\355\\240\\200b'",
    escaped: (_, { output }) =>
      !(output.startsWith('a\ufffd\0\ufffd(') && output.endsWith('b') && output.isWellFormed()),
    control: 'nobody-tried',
  },
  {
    id: 'o04',
    what: 'make a path of more than 4096 bytes that the host then cannot remove',
    line: () => 'n=$(printf "%0200d" 1); for i in $(seq 30); do mkdir $n && cd $n || exit 1; done; pwd | wc -c',
    escaped: (world, { output }) => Number(output) < 4096 || !world.remove(`${world.work}/${'0'.repeat(199)}1`),
    control: 'nobody-tried',
  },
  {
    id: 'o05',
    what: 'hide a second command behind a NUL byte',
    line: () => 'echo one\0; echo two',
    escaped: (_, { output }) => !output.includes('A command may not contain a NUL byte'),
    control: 'nobody-tried',
  },
  {
    id: 'o06',
    what: 'be longer than one argument can be (200 KB)',
    line: () => `: ${'x'.repeat(200_000)}; echo END`,
    escaped: (_, { output }) => output !== 'END\n',
    control: 'bites',
  },
  {
    id: 'o07',
    what: 'make file names with a newline and an escape',
    line: () => "touch $'evil\\nname' $'\\033[2Jx'",
    escaped: (world) =>
      world
        .list(world.work)
        .map(plainText)
        .some((name) => /[\x00-\x08\x0b-\x1f]/.test(name)),
    control: 'nobody-tried',
  },
  {
    id: 'o08',
    what: 'blur how it ended',
    line: () => 'kill -SEGV $$',
    escaped: (_, { outcome, exitCode }) => outcome !== 'signalled' || exitCode !== 139,
    control: 'nobody-tried',
  },
]
