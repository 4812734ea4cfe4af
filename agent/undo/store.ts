/**
 * The shadow repository: a bare git repository of our own for each work tree, in the state folder. Only git's plumbing is
 * used, with the objects given to it by us (fast-import) and taken back by us (cat-file): git never looks at the work
 * tree, so no configuration, attribute, filter or hook of the user's repository can take part, and its index, HEAD and
 * refs are not touched.
 */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { plainText } from '../../sandbox/index.ts'
import { removeLeftovers } from './leftovers.ts'

const run = promisify(execFile)
const maxBuffer = 1 << 28

/** The record of the work tree cannot be made or used. `message` says why and what helps. */
export class UndoError extends Error {
  override readonly name = 'UndoError'
}

/** What stands at a path: git's mode (`100644`, `100755`, `120000`), and the object's id. */
export interface Stored {
  readonly mode: string
  readonly oid: string
}

/** A change of the tree that is being recorded; null removes the path. */
export interface TreeChange {
  readonly path: string
  readonly entry: { readonly mode: string; readonly bytes: Buffer } | null
}

export interface Store {
  /** Absolute path of the folder that holds the repository and our notes beside it. */
  readonly folder: string
  /** Absolute path of the repository, bare and without an index. */
  readonly repository: string
  /**
   * Records a tree: the earlier one (undefined: an empty one) with the changes, removals first. `keep` are the names under
   * which it is held until they are forgotten or given again. Gives the tree's id. Rejects with UndoError, and when the
   * signal aborts.
   */
  record(
    keep: readonly [string, ...string[]],
    base: string | undefined,
    changes: AsyncIterable<TreeChange>,
    signal?: AbortSignal,
  ): Promise<string>
  /** Path → before and after, for each path in which two trees differ. */
  differences(
    from: string,
    to: string,
  ): Promise<ReadonlyMap<string, { readonly before: Stored | null; readonly after: Stored | null }>>
  /** Every path of a tree. */
  entries(tree: string): Promise<ReadonlyMap<string, Stored>>
  /** The content of an object. */
  content(oid: string): Promise<Buffer>
  /** The same of many; one that is not there is left out. */
  contents(oids: readonly string[]): Promise<ReadonlyMap<string, Buffer>>
  forget(names: readonly string[]): Promise<void>
  /** Removes what nothing holds, and packs the rest. Gives the size in bytes that is left. */
  clean(): Promise<number>
}

/** Folder of the shadow repository of a work tree. */
export const storeFolder = (stateFolder: string, root: string): string =>
  join(stateFolder, 'undo', createHash('sha256').update(root).digest('hex').slice(0, 20))

/** Opens the shadow repository, and makes it when there is none. Rejects with UndoError. */
export async function openStore(stateFolder: string, root: string): Promise<Store> {
  const folder = storeFolder(stateFolder, root)
  const repository = join(folder, 'objects.git')
  const environment = cleanEnvironment(repository)
  const git = async (args: readonly string[], input?: string): Promise<Buffer> => {
    try {
      const child = run('git', [...args], { cwd: folder, env: environment, maxBuffer, encoding: 'buffer' })
      child.child.stdin?.on('error', () => undefined) // the exit code tells
      child.child.stdin?.end(input)
      return (await child).stdout
    } catch (error) {
      throw gitFailed(error)
    }
  }
  if (!existsSync(join(repository, 'HEAD'))) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
    } catch (error) {
      throw new UndoError(`The folder ${folder} cannot be made: ${messageOf(error)}`)
    }
    await git(['init', '--quiet', '--bare', '--template=', repository])
  }
  return {
    folder,
    repository,
    async record(keep, base, changes, signal) {
      const settings = ['-c', 'core.fsync=none', '-c', 'core.compression=1', '-c', 'core.hooksPath=/dev/null']
      const child = spawn('git', [...settings, 'fast-import', '--quiet', '--done', '--force', '--date-format=raw'], {
        cwd: folder,
        env: environment,
        signal,
      })
      const failed = (error: unknown) => removeLeftovers(repository, error, child.pid)
      return importTree(child, keep, base, changes).catch(failed)
    },
    async differences(from, to) {
      const raw = await git(['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-ext-diff', from, to])
      return parseRaw(raw.toString('utf8'))
    },
    async entries(tree) {
      const listed = (await git(['ls-tree', '-r', '-z', tree])).toString('utf8').split('\0')
      return new Map(listed.flatMap((line) => entryOf(line)))
    },
    content: (oid) => git(['cat-file', 'blob', oid]),
    contents: async (oids) =>
      oids.length === 0
        ? new Map()
        : parseBatch(await git(['cat-file', '--batch'], oids.map((oid) => `${oid}\n`).join(''))),
    async forget(names) {
      if (names.length > 0)
        await git(['update-ref', '--stdin'], names.map((name) => `delete ${refOf(name)}\n`).join(''))
    },
    async clean() {
      await git(['-c', 'gc.auto=0', 'gc', '--quiet', '--prune=now'])
      const counted = (await git(['count-objects', '-v'])).toString('utf8')
      const kilobytes = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(counted)?.[1] ?? 0)
      return (kilobytes('size') + kilobytes('size-pack')) * 1024
    },
  }
}

const refOf = (name: string): string => `refs/cachalot/${name}`

/** Nothing of the user's git: not its variables (we may run in a hook), not its configuration. */
function cleanEnvironment(repository: string): NodeJS.ProcessEnv {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  return {
    ...own,
    GIT_DIR: repository,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C',
  }
}

/** Speaks git-fast-import(1): one commit without a parent, so that what is forgotten is held by nothing. */
async function importTree(
  child: ChildProcessWithoutNullStreams,
  [keep, ...others]: readonly [string, ...string[]],
  base: string | undefined,
  changes: AsyncIterable<TreeChange>,
): Promise<string> {
  const out: Buffer[] = []
  const problems: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => problems.push(chunk))
  child.stdin.on('error', () => undefined) // the exit code tells
  const ended = Promise.withResolvers<void>()
  child.on('error', (error) => ended.reject(gitFailed(error)))
  child.on('close', (code) => {
    if (code === 0) return ended.resolve()
    ended.reject(gitFailed(new Error(Buffer.concat(problems).toString('utf8').trim() || `git ended with ${code}`)))
  })
  // Told below; a failure while we still write must not be an unhandled one.
  ended.promise.catch(() => undefined)
  const write = async (piece: string | Buffer): Promise<void> => {
    if (child.stdin.destroyed || child.stdin.write(piece)) return
    const drained = new Promise<void>((resolve) => child.stdin.once('drain', resolve))
    await Promise.race([drained, ended.promise.catch(() => undefined)])
  }
  try {
    await write(`commit ${refOf(keep)}\nmark :1\ncommitter Cachalot <cachalot@localhost> 1 +0000\ndata 1\nx\n`)
    if (base !== undefined) await write(`M 040000 ${base} ""\n`)
    for await (const { path, entry } of changes) {
      if (entry === null) await write(`D ${quoted(path)}\n`)
      else {
        await write(`M ${entry.mode} inline ${quoted(path)}\ndata ${entry.bytes.length}\n`)
        await write(entry.bytes)
        await write('\n')
      }
    }
    await write('\n')
    for (const other of others) await write(`reset ${refOf(other)}\nfrom :1\n\n`)
    await write('ls :1 ""\ndone\n')
    child.stdin.end()
  } catch (error) {
    child.kill()
    await ended.promise.catch(() => undefined)
    throw error
  }
  await ended.promise
  const said = Buffer.concat(out).toString('utf8')
  // An empty tree is told as missing.
  const oid = /^040000 tree ([0-9a-f]{40,64})\t/.exec(said)?.[1] ?? (/^missing /.test(said) ? emptyTree : undefined)
  if (oid === undefined) throw new UndoError(`git fast-import said something unexpected: ${plainText(said)}`)
  return oid
}

/** Known to every git without being stored (SHA-1). */
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

const quoted = (path: string): string =>
  `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`

/** `:mode mode oid oid status NUL path NUL …`, see git-diff-tree(1). */
function parseRaw(raw: string): Map<string, { before: Stored | null; after: Stored | null }> {
  const found = new Map<string, { before: Stored | null; after: Stored | null }>()
  const parts = raw.split('\0')
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [modeBefore = '', modeAfter = '', before = '', after = ''] = (parts[at] ?? '').slice(1).split(' ')
    const one = (mode: string, oid: string): Stored | null => (mode === '000000' ? null : { mode, oid })
    found.set(parts[at + 1]!, { before: one(modeBefore, before), after: one(modeAfter, after) })
  }
  return found
}

/** `oid blob size LF content LF` …, see git-cat-file(1). */
function parseBatch(output: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>()
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(0x0a, at)
    const [oid = '', kind, size] = output.toString('latin1', at, end).split(' ')
    at = end + 1
    if (kind !== 'blob') continue
    found.set(oid, output.subarray(at, at + Number(size)))
    at += Number(size) + 1
  }
  return found
}

/** `mode type oid TAB path`, see git-ls-tree(1). */
function entryOf(line: string): [string, Stored][] {
  const tab = line.indexOf('\t')
  const [mode = '', , oid = ''] = line.slice(0, Math.max(0, tab)).split(' ')
  return tab < 0 ? [] : [[line.slice(tab + 1), { mode, oid }]]
}

function gitFailed(error: unknown): UndoError | Error {
  const { code, name, stderr } = error as { code?: unknown; name?: unknown; stderr?: unknown }
  if (name === 'AbortError') return error as Error
  if (code === 'ENOENT') return new UndoError('git is not installed, and undo keeps its records with it.')
  const told = Buffer.isBuffer(stderr) && stderr.length > 0 ? stderr.toString('utf8') : messageOf(error)
  return new UndoError(`git could not keep the record: ${plainText(told.trim())}`)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
