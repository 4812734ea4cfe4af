/** The environment of a command: an allow-list, never a deny-list, so that a secret nobody thought of stays out. */
import path from 'node:path'

const KEPT = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TERM', 'COLORTERM', 'TZ', 'CI', 'NO_COLOR'],
  ...['FORCE_COLOR', 'NODE_ENV', 'EDITOR', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS'],
  // Where toolchains live: without them an installed compiler is not found.
  ...['CARGO_HOME', 'RUSTUP_HOME', 'RUSTUP_TOOLCHAIN', 'GOPATH', 'GOROOT', 'GOFLAGS', 'GOPROXY', 'JAVA_HOME'],
  ...['ANDROID_HOME', 'ANDROID_SDK_ROOT', 'MAVEN_HOME', 'M2_HOME', 'GRADLE_HOME', 'VIRTUAL_ENV', 'CONDA_PREFIX'],
  ...[
    'PYENV_ROOT',
    'NVM_DIR',
    'NVM_BIN',
    'VOLTA_HOME',
    'FNM_DIR',
    'PNPM_HOME',
    'BUN_INSTALL',
    'DENO_DIR',
    'RBENV_ROOT',
  ],
  ...['GEM_HOME', 'GEM_PATH', 'DOTNET_ROOT', 'ASDF_DIR', 'ASDF_DATA_DIR', 'SDKMAN_DIR', 'MISE_DATA_DIR'],
])

/** Shapes of credentials, by the published prefix of each issuer; matched in values of kept variables. */
const TOKEN_SHAPES = [
  /\bsk-[A-Za-z0-9_-]{16,}/,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/,
  /\bglpat-[A-Za-z0-9_-]{16,}/,
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b/,
  /\bxox[abposr]-[A-Za-z0-9-]{10,}/,
  /\bnpm_[A-Za-z0-9]{30,}/,
  /\bhf_[A-Za-z0-9]{20,}/,
  /\bAIza[A-Za-z0-9_-]{30,}/,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /:\/\/[^/\s:@]+:[^/\s@]+@/,
]

export interface EnvironmentOptions {
  /** The agent's own environment. */
  readonly from: Readonly<Record<string, string | undefined>>
  /** Names that the user asked to pass; their values are the user's decision and are not scanned. */
  readonly pass: readonly string[]
  /** Private folder for temporary files, as the command sees it. */
  readonly temporary: string
  /** What the command reads in SANDBOX. */
  readonly sandbox: string
  /**
   * Entries of PATH inside these folders are dropped. Only for commands that are not confined: in the box, a program
   * planted in the work tree gains nothing, and a virtual environment lives there.
   */
  readonly dropPathsIn?: readonly string[]
}

export interface Environment {
  readonly variables: Record<string, string>
  /** Names that were on the allow-list and held something shaped like a credential. */
  readonly withheld: readonly string[]
}

/** What a command gets to see of the environment. */
export function commandEnvironment(options: EnvironmentOptions): Environment {
  const variables: Record<string, string> = {}
  const withheld: string[] = []
  const asked = new Set(options.pass)
  for (const [name, value] of Object.entries(options.from)) {
    if (value === undefined) continue
    // Our own settings may name keys; they are never for a command, asked or not.
    if (name.startsWith('CACHALOT_')) continue
    if (asked.has(name)) variables[name] = value
    else if (KEPT.has(name) || name.startsWith('LC_')) {
      if (TOKEN_SHAPES.some((shape) => shape.test(value))) withheld.push(name)
      else variables[name] = value
    }
  }
  variables['PATH'] = cleanPath(variables['PATH'], options.dropPathsIn ?? [])
  Object.assign(variables, {
    TMPDIR: options.temporary,
    PAGER: 'cat',
    GIT_PAGER: 'cat',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    DEBIAN_FRONTEND: 'noninteractive',
    SANDBOX: options.sandbox,
  })
  // Go stops where it cannot write what it built, and in the box its folder of the home cannot be written.
  if (options.dropPathsIn === undefined) variables['GOCACHE'] ??= path.join(options.temporary, 'go-build')
  return { variables, withheld }
}

/** Absolute entries only: an empty or relative one means "wherever the command happens to be". */
function cleanPath(value: string | undefined, dropIn: readonly string[]): string {
  const entries = (value ?? '').split(':').filter((entry) => {
    if (!path.isAbsolute(entry)) return false
    return !dropIn.some((folder) => entry === folder || entry.startsWith(`${folder}/`))
  })
  return entries.length > 0 ? entries.join(':') : '/usr/local/bin:/usr/bin:/bin'
}
