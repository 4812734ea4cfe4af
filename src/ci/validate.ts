/** What a patch may be, before anything of it is pushed. Judged by the trees that git makes of it, not by its text. */
import type { CheatKind } from '../fix/cheat-patterns.ts'
import { findCheats } from '../fix/cheats.ts'
import type { Git } from '../git/git.ts'
import type { TreeChange } from '../git/shadow.ts'

export interface PatchRules {
  readonly maxFiles: number
  /** Lines added and removed. */
  readonly maxLines: number
  readonly allowed: ReadonlySet<CheatKind>
  /** The check, whose own files may not change. */
  readonly check: string
  /** More paths that may not change: a file, or a folder with a trailing `/`. */
  readonly protect: readonly string[]
}

/** What programs, agents, editors and forges obey. Without a slash: wherever it is. Compared without case. */
const obeyed: readonly string[] = [
  ...['.git/', '.github/', '.gitlab/', '.gitlab-ci.yml', '.circleci/', '.forgejo/', '.gitea/', '.woodpecker/'],
  ...[
    '.gitmodules',
    '.gitattributes',
    '.cachalot/',
    '.cachalotignore',
    'agents.md',
    'claude.md',
    '.claude/',
    '.mcp.json',
  ],
  ...['codeowners', '.envrc', '.vscode/', '.idea/', '.husky/', '.pre-commit-config.yaml', 'lefthook.yml', '.npmrc'],
  ...['.yarnrc', '.yarnrc.yml', '.yarn/', 'action.yml', 'action.yaml', 'renovate.json', '.devcontainer/'],
  // Other agents and editors.
  ...['agent.md', 'gemini.md', '.gemini/', '.codex/', '.cursor/', '.cursorrules', '.windsurf/', '.windsurfrules'],
  ...['.clinerules', '.clinerules/', '.roo/', '.kiro/', '.junie/', '.amazonq/', '.opencode/', 'opencode.json'],
  ...['.aider.conf.yml', '.zed/', '.continue/', '.agents/'],
  // Other builders, and what is run or published by them.
  ...['.tekton/', '.semaphore/', '.drone.yml', '.cirrus.yml', 'buildspec.yml', 'cloudbuild.yaml', 'wercker.yml'],
  ...['netlify.toml', 'vercel.json', 'dependabot.yml', '.env'],
]

interface Entry extends TreeChange {
  readonly modes: readonly [before: string, after: string]
}

/** Everything that is wrong with what lies between two trees; empty when it may be pushed. */
export async function problemsOf(git: Git, base: string, tree: string, rules: PatchRules): Promise<string[]> {
  const entries = await entriesBetween(git, base, tree)
  const problems: string[] = []
  if (entries.length === 0) problems.push('it changes nothing')
  if (entries.length > rules.maxFiles)
    problems.push(`it changes ${entries.length} files; at most ${rules.maxFiles} may`)
  const lines = await linesBetween(git, base, tree)
  if (lines > rules.maxLines) problems.push(`it changes ${lines} lines; at most ${rules.maxLines} may`)
  for (const entry of entries) {
    const { path, modes } = entry
    const strange = strangePath(path)
    if (strange !== undefined) problems.push(`${JSON.stringify(path)}: ${strange}`)
    if (isProtected(path, [...obeyed, ...rules.protect])) problems.push(`${path}: is protected`)
    if (modes[1] === '120000' || modes[0] === '120000') problems.push(`${path}: is a symbolic link`)
    else if (modes[1] === '160000' || modes[0] === '160000') problems.push(`${path}: is a submodule`)
    else if (entry.kind !== 'deleted' && entry.after === null) problems.push(`${path}: is binary; nobody can read it`)
    else if (entry.kind === 'changed' && modes[0] !== modes[1]) problems.push(`${path}: its permissions change`)
  }
  for (const { kind, path, what } of findCheats(entries, rules.check)) {
    if (!rules.allowed.has(kind)) problems.push(`${path}: ${what} (${kind} are not allowed)`)
  }
  return problems
}

async function entriesBetween(git: Git, base: string, tree: string): Promise<Entry[]> {
  const words = (await git(['diff-tree', '-r', '-z', '--no-renames', '--raw', base, tree])).split('\0')
  const entries: Entry[] = []
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [before = '', after = '', from = '', to = '', letter = ''] = (words[at] ?? '').replace(/^:/, '').split(' ')
    entries.push({
      path: words[at + 1] ?? '',
      kind: letter === 'A' ? 'added' : letter === 'D' ? 'deleted' : 'changed',
      before: await textOf(git, from, before),
      after: await textOf(git, to, after),
      modes: [before, after],
    })
  }
  return entries
}

async function textOf(git: Git, object: string, mode: string): Promise<string | null> {
  if (/^0+$/.test(object) || mode === '160000') return null
  const text = await git(['cat-file', 'blob', object])
  return text.includes('\0') ? null : text
}

async function linesBetween(git: Git, base: string, tree: string): Promise<number> {
  const rows = (await git(['diff-tree', '-r', '--no-renames', '--numstat', base, tree])).split('\n')
  // `-` stands for a binary file: counted as one line, and bounded by the size of the patch.
  return rows.reduce(
    (sum, row) =>
      sum +
      row
        .split('\t')
        .slice(0, 2)
        .reduce((a, n) => a + (n === '-' ? 1 : Number(n)), 0),
    0,
  )
}

function strangePath(path: string): string | undefined {
  if (path.startsWith('/') || /^[a-z]:/i.test(path) || path.includes('\\')) return 'is no relative path'
  const parts = path.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return 'leads elsewhere'
  if (parts.some((part) => /^(\.git|git~\d+)[. ]*$/i.test(part))) return "is git's own"
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(path)) return 'holds a character that is not seen'
  return undefined
}

function isProtected(path: string, rules: readonly string[]): boolean {
  const low = path.toLowerCase()
  return rules.some((each) => {
    const rule = each.toLowerCase()
    if (rule.endsWith('/')) return low.startsWith(rule) || low.includes(`/${rule}`)
    return low === rule || (!rule.includes('/') && low.endsWith(`/${rule}`))
  })
}
