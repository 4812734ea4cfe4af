/**
 * Changes that make a check pass without repairing what it checks. Judged by path and by the lines that were added;
 * what is found is refused unless its kind was allowed by name. Where a rule must guess it guesses against the change:
 * a refusal is read by a person, a green check that means nothing is not.
 */
import type { TreeChange } from '../git/shadow.ts'

export const cheatKinds = ['tests', 'snapshots', 'ci', 'locks', 'skips', 'thresholds', 'check'] as const
export type CheatKind = (typeof cheatKinds)[number]

export interface Cheat {
  readonly kind: CheatKind
  readonly path: string
  /** What was done, for a person. */
  readonly what: string
  /** Line of the new file; absent where the whole file is meant. */
  readonly line?: number
}

const paths: readonly (readonly [CheatKind, RegExp, string])[] = [
  ['snapshots', /(^|\/)__snapshots__\/|\.(snap|snapshot|ambr)$/, 'changes a recorded snapshot'],
  [
    'tests',
    /(^|\/)(tests?|__tests__|specs?|testing|testdata)\/|[._-](test|spec)s?\.[^/.]+$|(^|\/)(test_[^/]*|conftest|[^/]*_tests?)\.py$|Tests?\.(java|kt|cs|swift|php)$/,
    'changes a test',
  ],
  [
    'ci',
    /^(\.github|\.circleci|\.buildkite|\.ci|\.woodpecker|\.gitlab)\/|(^|\/)(\.gitlab-ci\.ya?ml|\.travis\.yml|Jenkinsfile|azure-pipelines\.ya?ml|bitbucket-pipelines\.ya?ml|\.drone\.ya?ml|appveyor\.yml)$/,
    'changes a CI file',
  ],
  [
    'locks',
    /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock|[Cc]argo\.lock|poetry\.lock|uv\.lock|pdm\.lock|Pipfile\.lock|Gemfile\.lock|composer\.lock|go\.sum|flake\.lock|gradle\.lockfile|packages\.lock\.json|mix\.lock|pubspec\.lock)$/,
    'changes a lock file',
  ],
]

/** Lines that silence a check. In a file of prose they are only words. */
const silencers: readonly (readonly [RegExp, string])[] = [
  [/\b(it|test|describe|suite|context)\.(skip|todo|only|fails?|skipIf)\b/, 'skips tests'],
  [/\bx(it|describe|test|context)\s*\(|\b[ft]describe\s*\(/, 'skips tests'],
  [/\bskip:\s*(true|['"`])|\bthis\.skip\(\)|\bt\.skip\(/, 'skips tests'],
  [
    /\bpytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b|\bunittest\.(skip|expectedFailure)|@skip(If|Unless)?\b/,
    'skips tests',
  ],
  [/@(Ignore|Disabled)\b|#\[ignore|\bt\.Skip(Now|f)?\(|\[Ignore\]|\bpending\(\)/, 'skips tests'],
  [/testPathIgnorePatterns|collect_ignore|--deselect|--passWithNoTests|passWithNoTests:\s*true/, 'leaves tests out'],
  [
    /\|\|\s*(true|:|exit 0)(\s|"|'|;|$)|;\s*(true|exit 0)\s*["']?,?\s*$|^\s*set \+e\b|continue-on-error:\s*true|ignore_errors/,
    'hides a failure',
  ],
  [
    /@ts-(ignore|nocheck|expect-error)|eslint-disable|biome-ignore|oxlint-disable|#\s*(type:\s*ignore|noqa|pylint:\s*disable|pyright:\s*ignore)/,
    'silences a checker',
  ],
  [/#!?\[allow\(|@SuppressWarnings|\/\/\s*nolint|#\s*nosec|rubocop:disable/, 'silences a checker'],
  [/["']?(strict\w*|noImplicit\w*|noUnchecked\w*|checkJs)["']?\s*[:=]\s*false/, 'loosens a checker'],
]
const prose = /\.(md|mdx|rst|txt|adoc)$/i

const thresholdKey =
  /["']?([\w.-]*(?:threshold|coverage|fail_under|fail-under|branches|functions|statements|lines|min)[\w.-]*)["']?\s*[:=]\s*([\d.]+)/i
const ceilingKey = /(max-warnings|maxWarnings|max_errors|max-errors)["']?\s*[:= ]\s*([\d.]+)/i
const settingFile = /\.(json|ya?ml|toml|cfg|ini|conf)$|(^|\/)\.[\w.-]+rc$|\.config\.[cm]?[jt]s$/

/** Every cheat among changes. `check`: the command, whose own files and scripts must not be what was changed. */
export function findCheats(changes: readonly TreeChange[], check: string): Cheat[] {
  return changes.flatMap((change) => {
    const whole = byPath(change, check)
    return whole === undefined ? [...byLines(change), ...byThresholds(change)] : [whole]
  })
}

function byPath({ path, before, after }: TreeChange, check: string): Cheat | undefined {
  const found = paths.find(([, pattern]) => pattern.test(path))
  if (found !== undefined) return { kind: found[0], path, what: found[2] }
  // A script is the check; a source file that a check runs is what it checks.
  const isScript = /(^|\/)[^/.]+$|\.(sh|bash)$/.test(path)
  if (isScript && check.split(/[\s;&|'"=]+/).some((word) => word.replace(/^\.\//, '') === path)) {
    return { kind: 'check', path, what: 'changes the file that the check runs' }
  }
  if (/(^|\/)package\.json$/.test(path) && scriptsOf(before) !== scriptsOf(after)) {
    return { kind: 'check', path, what: 'changes the scripts of package.json' }
  }
  if (/(^|\/)(GNUm|m|M)akefile$|(^|\/)justfile$/.test(path) && /\b(make|just)\b/.test(check)) {
    return { kind: 'check', path, what: 'changes the recipe that the check runs' }
  }
  return undefined
}

/** Undefined where there are none to be read: a broken package.json may be repaired. */
function scriptsOf(text: string | null): string | undefined {
  try {
    const { scripts } = JSON.parse(text ?? '{}') as { scripts?: unknown }
    return scripts === undefined ? undefined : JSON.stringify(scripts)
  } catch {
    // Not JSON: compared by what the text says after "scripts".
    return /"scripts"\s*:\s*(\{[^}]*\})/.exec(text ?? '')?.[1]?.replace(/\s+/g, '')
  }
}

function byLines({ path, before, after }: TreeChange): Cheat[] {
  if (prose.test(path)) return []
  return addedLines(before, after).flatMap(({ text, line }) => {
    const found = silencers.find(([pattern]) => pattern.test(text))
    return found === undefined ? [] : [{ kind: 'skips' as const, path, line, what: found[1] }]
  })
}

function byThresholds({ path, before, after }: TreeChange): Cheat[] {
  if (!settingFile.test(path) || before === null) return []
  const cheats: Cheat[] = []
  for (const [pattern, worse] of [
    [thresholdKey, (was: number, is: number) => is < was],
    [ceilingKey, (was: number, is: number) => is > was],
  ] as const) {
    const was = numbersOf(before, pattern)
    const is = numbersOf(after ?? '', pattern)
    for (const [key, values] of was) {
      const now = is.get(key)
      const lowered =
        now === undefined || now.length < values.length || values.some((value, at) => worse(value, now[at] ?? value))
      if (lowered) cheats.push({ kind: 'thresholds', path, what: `loosens the threshold ${key}` })
    }
  }
  return cheats
}

function numbersOf(text: string, pattern: RegExp): Map<string, number[]> {
  const found = new Map<string, number[]>()
  for (const [, key = '', value = ''] of text.matchAll(new RegExp(pattern, 'gi'))) {
    found.set(key, [...(found.get(key) ?? []), Number(value)])
  }
  return found
}

/** Lines of the new text that the old one has fewer times: enough to tell what was added, moved lines apart. */
function addedLines(before: string | null, after: string | null): { text: string; line: number }[] {
  const left = new Map<string, number>()
  for (const line of (before ?? '').split('\n')) left.set(line.trim(), (left.get(line.trim()) ?? 0) + 1)
  return (after ?? '').split('\n').flatMap((text, at) => {
    const count = left.get(text.trim()) ?? 0
    left.set(text.trim(), count - 1)
    return count > 0 ? [] : [{ text, line: at + 1 }]
  })
}
