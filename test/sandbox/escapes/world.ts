/**
 * Builds the world: a memory file system that only this process and its children see (private mount namespace), with a
 * home, secrets, a work tree, and programs that listen in a network of their own. Nothing here touches the real machine.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { architectures } from '../../../sandbox/linux/syscalls.ts'
import { processesWith } from '../support/processes.ts'
import { SECRET, type World } from './attempt.ts'
import { startServices } from './services.ts'

export interface OpenWorld extends World {
  /** Puts home and work tree back as they were, and forgets who was reached. */
  reset(): void
}

const CI = 'on: push\n'

/** What the home holds; contents with the secret are what attempts are after. */
function files(): Record<string, string> {
  return {
    '.bashrc': '# mine\n',
    '.profile': '# mine\n',
    '.ssh/id_rsa': SECRET,
    '.aws/credentials': SECRET,
    '.netrc': SECRET,
    '.npmrc': SECRET,
    '.git-credentials': SECRET,
    '.config/gh/hosts.yml': SECRET,
    '.config/cachalot/config.toml': '# mine\n',
    'other/.env': SECRET,
    'outside/victim': 'mine\n',
    'outside/linked': 'mine\n',
    'work/AGENTS.md': '# instructions\n',
    'work/.cachalot/config.toml': '# project\n',
    'work/.github/workflows/ci.yml': CI,
  }
}

/** Makes everything, as root of the namespaces that this process was started in. */
export async function buildWorld(uid: number, mark: string): Promise<OpenWorld> {
  const top = ['/mnt', '/srv', '/media', '/opt'].find(
    (each) => existsSync(each) && !import.meta.dirname.startsWith(`${each}/`),
  )
  if (top === undefined) throw new Error('no folder to mount the world on')
  for (const folder of [top, '/run']) execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder])
  const pythonFile = ['/usr/bin/python3', '/usr/local/bin/python3', '/bin/python3'].find((each) => existsSync(each))
  if (pythonFile === undefined) throw new Error('the attempts need Python: sudo apt-get install -y python3')
  execFileSync(pythonFile, ['-c', LOOPBACK_UP])

  const home = path.join(top, 'home/dev')
  const template = path.join(top, 'template')
  const work = path.join(home, 'work')
  mkdirSync(home, { recursive: true })
  chownSync(home, uid, uid)
  const asUser = { uid, gid: uid, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: home } } as const
  const git = (folder: string, ...args: string[]): string => {
    const identity = ['-c', 'user.name=n', '-c', 'user.email=e@x', '-c', 'init.defaultBranch=main']
    const done = spawnSync('git', [...identity, ...args], { ...asUser, cwd: folder, timeout: 10_000 })
    return `${done.stdout}`
  }
  makeTemplate(template, uid, git)
  copyFileSync('/usr/bin/id', path.join(home, 'suid-id'))
  try {
    chownSync(path.join(home, 'suid-id'), uid === 0 ? 1 : 0, 0)
  } catch {
    // Root of a namespace that knows one user only: there is no other to belong to (`made-by-root` in attempt.ts).
  }
  chmodSync(path.join(home, 'suid-id'), 0o4755)
  for (const name of ['inherited', 'handled']) {
    writeFileSync(path.join(home, name), '')
    chownSync(path.join(home, name), uid, uid)
  }
  const temporary = `/tmp/other-${mark}`
  mkdirSync(temporary, { mode: 0o755 })
  writeFileSync(path.join(temporary, 'secret'), SECRET)
  process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))

  const reached = new Set<string>()
  const base = {
    home,
    work,
    outside: path.join(home, 'outside'),
    uid,
    mark,
    ports: { tcp: 18080, udp: 18081 },
    sockets: {
      docker: '/run/docker.sock',
      agent: path.join(temporary, 'agent.1'),
      bus: '/run/user/1000/bus',
      display: path.join(temporary, 'X9'),
      home: path.join(home, '.cache/app.sock'),
    },
    abstract: `abstract-${mark}`,
    python: pythonFile,
  }
  await startServices(base, (name) => reached.add(name))
  const reset = (): void => {
    // What an attempt without the sandbox mounted, as root it can.
    for (const [, mount = ''] of readFileSync('/proc/self/mounts', 'utf8').matchAll(/^\S+ (\S+)/gm)) {
      if (mount.startsWith(`${home}/`)) spawnSync('umount', ['-l', mount])
    }
    for (const name of readdirSync(home)) {
      if (!['.cache', 'suid-id', 'inherited', 'handled'].includes(name))
        rmSync(path.join(home, name), { recursive: true, force: true })
    }
    execFileSync('cp', ['-a', `${template}/.`, home])
    linkSync(path.join(home, 'outside/linked'), path.join(work, 'premade'))
    for (const file of [`/dev/shm/${mark}`, `/tmp/${mark}`, `/var/tmp/${mark}`]) rmSync(file, { force: true })
    writeFileSync(path.join(home, 'inherited'), '')
    reached.clear()
  }
  reset()
  const witness = await startWitness(base, asUser.env)
  return { ...base, ...witness, reached, git, reset, ...judges }
}

/** Brings the loopback of a new network namespace up (SIOCGIFFLAGS, SIOCSIFFLAGS; netdevice(7)). */
const LOOPBACK_UP = `
import fcntl, socket, struct
s = socket.socket(); r = fcntl.ioctl(s, 0x8913, struct.pack('16sH14x', b'lo', 0))
fcntl.ioctl(s, 0x8914, struct.pack('16sH14x', b'lo', struct.unpack('16xH14x', r)[0] | 1))`

function makeTemplate(template: string, uid: number, git: World['git']): void {
  for (const [name, content] of Object.entries(files())) {
    mkdirSync(path.dirname(path.join(template, name)), { recursive: true })
    writeFileSync(path.join(template, name), content)
  }
  const work = path.join(template, 'work')
  mkdirSync(path.join(work, 'nested'))
  symlinkSync('../outside', path.join(work, 'shipped'))
  writeFileSync(path.join(work, '.gitignore'), 'premade\n')
  execFileSync('chown', ['-R', `${uid}:${uid}`, template])
  git(path.join(work, 'nested'), 'init', '-q')
  git(path.join(work, 'nested'), 'commit', '-q', '--allow-empty', '-m', 'first')
  git(work, 'init', '-q')
  // Off by default; with it git reads config.worktree, and the attempt to write that has something to gain.
  git(work, 'config', 'extensions.worktreeConfig', 'true')
  git(work, 'config', 'user.name', 'n')
  git(work, 'config', 'user.email', 'e@x')
  git(work, 'add', '-A')
  git(work, 'commit', '-q', '-m', 'first')
}

async function startWitness(
  world: Pick<World, 'uid' | 'mark' | 'python' | 'home'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Pick<World, 'witness' | 'segment' | 'handle'>> {
  const { uid, mark, home } = world
  const numbers = architectures[process.arch]!.numbers
  const program = readFileSync(path.join(import.meta.dirname, 'witness.py'), 'utf8')
  const calls = [String(numbers['add_key']), String(numbers['name_to_handle_at'])]
  const args = ['-c', program, mark, path.join(home, 'handled'), ...calls, `witness-${mark}`]
  const child = spawn(world.python, args, {
    ...{ uid, gid: uid, env: { ...env, WITNESS_SECRET: SECRET } },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    child.once('exit', (code) => reject(new Error(`the witness ended: ${code}`)))
  })
  return { witness: child.pid!, ...(JSON.parse(said) as Pick<World, 'segment' | 'handle'>) }
}

const stat = (file: string) => lstatSync(file, { throwIfNoEntry: false })

const judges: Pick<World, 'read' | 'exists' | 'mode' | 'size' | 'list' | 'remove' | 'running'> = {
  read(file) {
    try {
      return readFileSync(file, 'latin1')
    } catch {
      return undefined
    }
  },
  exists: (file) => stat(file) !== undefined,
  mode: (file) => (stat(file)?.mode ?? 0) & 0o7777,
  size: (file) => stat(file)?.size ?? 0,
  list: (folder) => readdirSync(folder),
  remove(folder) {
    rmSync(folder, { recursive: true, force: true })
    return stat(folder) === undefined
  },
  running: (text) => processesWith(text).length > 0,
}
