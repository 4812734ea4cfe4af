/** One attempt of a command to do what it must not, and how the host sees whether it did. */
import type { CommandResult, Limits } from '../../../sandbox/index.ts'

/** The throw-away world in which attempts are made: a home with secrets, a work tree, and programs that listen. */
export interface World {
  readonly home: string
  /** The work tree: the only folder that is opened to commands. */
  readonly work: string
  /** A folder beside it that the user may write to. */
  readonly outside: string
  /** The user's id. */
  readonly uid: number
  /** A text of this run, in every name that could meet another run's. */
  readonly mark: string
  /** A process of the user, outside: holds SECRET in its environment and memory, and a System V segment. */
  readonly witness: number
  readonly segment: number
  /** A file handle (as name_to_handle_at gives it) of `handled` in the home, in hexadecimal, and its type. */
  readonly handle: { readonly type: number; readonly hex: string }
  readonly ports: { readonly tcp: number; readonly udp: number }
  readonly sockets: Readonly<Record<'docker' | 'agent' | 'bus' | 'display' | 'home', string>>
  readonly abstract: string
  readonly python: string
  /** Names of the services that somebody has reached since the last reset. */
  readonly reached: ReadonlySet<string>
  /** Text of a file, undefined when there is none. */
  read(file: string): string | undefined
  exists(file: string): boolean
  /** Permission bits with set-id bits; 0 when there is no such file. */
  mode(file: string): number
  /** Size in bytes; 0 when there is no such file. */
  size(file: string): number
  /** Names in a folder. */
  list(folder: string): readonly string[]
  /** Removes a tree; false when something of it stays. */
  remove(folder: string): boolean
  /** What a program of the user does later on the host: git in a folder of the work tree. */
  git(folder: string, ...args: string[]): string
  /** Whether a process runs whose command line holds the text. */
  running(text: string): boolean
}

/** The text that must not get out. */
export const SECRET = 'CANARY-5f1d9c'

export type Result = CommandResult & { readonly rssGrowth?: number }

export interface Attempt {
  readonly id: string
  readonly what: string
  line(world: World): string
  /** Judged from the host: files, processes, services; from the output only where reading is the damage. */
  escaped(world: World, result: Result): boolean
  /**
   * Without the sandbox: `bites` for any user, `root` only for root (the kernel stops a normal user by itself),
   * `made-by-root` for any user in a world that root made, `nobody-tried` where trying it would harm this machine.
   */
  readonly control: 'bites' | 'root' | 'made-by-root' | 'nobody-tried'
  /** Why the sandbox does not stop it: a limit that docs/security.md states. */
  readonly limit?: string
  readonly limits?: Partial<Limits>
  /** What the control gets on its standard input: a pipe that stays open. */
  readonly openStdin?: boolean
}

/** A line that runs a Python program. */
export const python = (world: World, program: string): string => `${world.python} - <<'PROGRAM'\n${program}\nPROGRAM`

/** A Python beginning: `call(number, …)` returns the result or minus the error number. */
export const SYSCALL = `
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *args):
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(number), *args)
    return -ctypes.get_errno() if got == -1 else got
def refused(got): return got in (-1, -38)
`
