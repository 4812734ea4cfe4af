/** What a command must not see: secrets of the home folder, and sockets of programs outside. */
import { lstatSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { isInside, realPath } from '../policy.ts'

/** Folders and files of the home folder that hold credentials, by the programs that keep them there. */
export const SECRETS: readonly string[] = [
  ...['.ssh', '.aws', '.gnupg', '.azure', '.kube', '.docker', '.password-store', '.vault-token', '.terraformrc'],
  ...['.terraform.d', '.oci', '.databrickscfg', '.boto', '.s3cfg', '.fly', '.netlify', '.railway', '.heroku', '.gem'],
  ...['.config/gh', '.config/hub', '.config/glab-cli', '.config/gcloud', '.config/git', '.config/op', '.config/rclone'],
  ...['.config/containers', '.config/doctl', '.config/heroku', '.config/stripe', '.config/age', '.config/sops'],
  ...[
    '.config/cachalot',
    '.local/share/cachalot',
    '.local/state/cachalot',
    '.local/share/keyrings',
    '.local/share/pass',
  ],
  ...['.mozilla', '.thunderbird', '.config/google-chrome', '.config/chromium', '.config/BraveSoftware'],
  ...['.config/microsoft-edge', '.netrc', '.npmrc', '.yarnrc.yml', '.pypirc', '.git-credentials', '.pgpass', '.my.cnf'],
  ...['.cargo/credentials', '.cargo/credentials.toml', '.m2/settings.xml', '.gradle/gradle.properties', '.nuget/NuGet'],
  ...['.claude', '.codex', '.gemini', '.anthropic', '.openai', '.huggingface', '.cache/huggingface/token'],
  ...['.bash_history', '.zsh_history', '.python_history', '.node_repl_history', '.psql_history', '.mysql_history'],
  ...['.sqlite_history', '.lesshst', '.viminfo', '.local/share/fish/fish_history', '.Xauthority', '.ICEauthority'],
]

export interface Mask {
  /** Real path. */
  readonly path: string
  readonly kind: 'folder' | 'file'
}

/** The secrets that exist, with links resolved: what is hidden is the file itself, under whatever name it is reached. */
export function secretMasks(home: string, denyRead: readonly string[]): Mask[] {
  const found = new Map<string, Mask>()
  const wanted = [...SECRETS.map((name) => path.join(home, name)), ...denyRead]
  for (const file of wanted) {
    try {
      // Most are not there, and this is asked before every command: looking is cheaper than resolving in vain.
      if (lstatSync(file, { throwIfNoEntry: false }) === undefined) continue
      const real = realPath(file)
      if (real === undefined || real === '/dev/null') continue
      found.set(real, { path: real, kind: lstatSync(real).isDirectory() ? 'folder' : 'file' })
    } catch {
      // Gone since, or unreadable for us and so for the command.
    }
  }
  // A mask below another one would have nothing to be mounted on.
  return [...found.values()].filter(({ path: file }) =>
    [...found.keys()].every((other) => other === file || !isInside(file, other)),
  )
}

/** More sockets than this and hiding them one by one costs too much: the filter then refuses them all. */
export const MAX_SOCKETS = 200

/** Bit of the flags column in /proc/net/unix that marks a listening socket (__SO_ACCEPTCON, net/unix/af_unix.c). */
const LISTENING = 0x10000

/** Real paths of listening unix sockets that this user can reach; undefined when there are more than MAX_SOCKETS. */
export function listeningSockets(table: string = readTable()): string[] | undefined {
  const found = new Set<string>()
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    const file = fields.slice(7).join(' ')
    if (!file.startsWith('/') || (Number.parseInt(fields[3] ?? '', 16) & LISTENING) === 0) continue
    const real = realPath(file)
    if (real !== undefined) found.add(real)
    if (found.size > MAX_SOCKETS) return undefined
  }
  return [...found]
}

function readTable(): string {
  try {
    return readFileSync('/proc/net/unix', 'utf8')
  } catch {
    // A kernel without unix sockets in /proc: nothing to be seen, the filter still confines by namespace.
    return ''
  }
}
