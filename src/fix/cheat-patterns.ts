/** What the judge of cheats.ts looks for: paths that are protected, and lines that silence a check, by language and tool. */

export const cheatKinds = ['tests', 'snapshots', 'ci', 'locks', 'skips', 'thresholds', 'check', 'packages'] as const
export type CheatKind = (typeof cheatKinds)[number]

/** A change of such a file is a cheat as a whole. */
export const protectedFiles: readonly (readonly [CheatKind, RegExp, string])[] = [
  ['snapshots', /(^|\/)__snapshots__\/|\.(snap|snapshot|ambr)$/, 'changes a recorded snapshot'],
  [
    'tests',
    /(^|\/)(tests?|__tests__|specs?|testing|testdata)\/|[._-](test|spec)s?\.[^/.]+$|(^|\/)(test_[^/]*|tests?|conftest|[^/]*_tests?)\.py$|Tests?\.(java|kt|cs|swift|php)$/,
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
  [
    'check',
    /(^|\/)(\.npmrc|\.yarnrc(\.yml)?|\.pnpmfile\.c?js|bunfig\.toml|pip\.conf|(site|user)customize\.py|[^/]+\.pth)$|(^|\/)(\.cargo|\.mvn)\/[^/]+$/,
    'changes how the check is started',
  ],
  ['check', /(^|\/)(node_modules|site-packages)\//, 'changes an installed package'],
]

/** Whether files with such a path hold tests. */
export const isTestPath = (path: string): boolean =>
  protectedFiles.some(([kind, pattern]) => kind === 'tests' && pattern.test(path))

/** A new file of such a name is found before the program that checks. */
export const standIn =
  /^(src\/)?(_?pytest|unittest|doctest|nose2?|tox|coverage|mypy|pyright|ruff|flake8|pylint|hypothesis)(\.py$|\/.*\.py$)/

/** Lines that silence a check. In a file of prose they are only words. */
export const silencers: readonly (readonly [RegExp, string])[] = [
  [/\b(it|test|describe|suite|context)\.(skip|todo|only|fails?|skipIf)\b/, 'skips tests'],
  [/\bx(it|describe|test|context)\s*\(|\b[ft]describe\s*\(/, 'skips tests'],
  [/\bskip:\s*(true|['"`])|\bthis\.skip\(\)|\bt\.skip\(/, 'skips tests'],
  [
    /\bpytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b|\bunittest\.(skip|expectedFailure)|@skip(If|Unless)?\b/,
    'skips tests',
  ],
  [/@(Ignore|Disabled)\b|#\[ignore|\b[tb]\.Skip(Now|f)?\(|\[Ignore\]|\bpending\(\)/, 'skips tests'],
  // C#, PHP, Swift, Elixir; GoogleTest, JUnit's assumptions, Python's unittest from within a test; Ruby.
  [
    /\[(Fact|Theory|Test)\w*\([^\]]*\bSkip\s*=|markTest(Skipped|Incomplete)\s*\(|\bXCTSkip\w*\b|@tag\s+:?skip\b/,
    'skips tests',
  ],
  [
    /\bGTEST_SKIP\b|\bDISABLED_\w+|\bassum(e|ing)(True|False|That|NoException)\s*\(|\.skipTest\(|\bSkipTest\b/,
    'skips tests',
  ],
  [/^\s*(skip|xit|xdescribe|xspecify|xscenario)\b\s*(['"(]|do\b|$)/, 'skips tests'],
  [/^\s*\/\/go:build\s+ignore|doctest: *\+SKIP/, 'skips tests'],
  [
    /\bpragma: no cover\b|\b(istanbul|c8|v8) ignore\b|\bLCOV_EXCL|@codeCoverageIgnore|#\[coverage\(off\)\]/,
    'leaves code out of the coverage',
  ],
  [
    /\b(process\.exit|sys\.exit|Deno\.exit)\(\s*0?\s*\)|\b(os\._exit|os\.Exit|System\.exit|_?exit)\(\s*0\s*\)|\bos\._exit\b(?!\s*\(\s*[1-9a-z])|\b_Exit\(\s*0/,
    'ends early as a success',
  ],
  [
    /\braise SystemExit(\(\s*0?\s*\))?\s*$|\bpytest\.exit\(|\bprocess\.exitCode\s*=\s*0|\bexitstatus\s*=\s*0|^\s*exit(!|\s+0)\s*;?$/,
    'ends early as a success',
  ],
  [
    /\b_pytest\b|\bPYTEST_\w+|["']pytest["']\s+(not\s+)?in\s+sys\.modules|\b(NODE_TEST_CONTEXT|JEST_WORKER_ID|VITEST\w*)\b|\bNODE_ENV\b[^\n]*["'`]test["'`]|\btesting\.Testing\(\)|flag\.Lookup\("test\.|\bcfg!\(test\)/,
    'behaves otherwise when it is tested',
  ],
  [
    /\b(assert|expect|chai|unittest|TestCase|Assertions|jest|vitest|pytest)(\.\w+)+\s*=(?!=)|\b(setattr|defineProperty|assign)\(\s*(assert|expect|chai|unittest|pytest|\w*TestCase)\b|\bprocess\.(exit|reallyExit)\s*=(?!=)/,
    'changes what asserts',
  ],
  [/testPathIgnorePatterns|collect_ignore|--deselect|--passWithNoTests|passWithNoTests:\s*true/, 'leaves tests out'],
  [
    /\|\|\s*(true|:|exit 0)(\s|"|'|;|$)|;\s*(true|exit 0)\s*["']?,?\s*$|^\s*set \+e\b|continue-on-error:\s*true|ignore_errors/,
    'hides a failure',
  ],
  [
    /@ts-(ignore|nocheck|expect-error)|eslint-disable|(stylelint|ktlint)-disable|swiftlint:disable|phpcs:ignore|@phpstan-ignore|psalm-suppress|#\s*(mypy|ruff|flake8):\s*(ignore|noqa|disable)|\bNOLINT|biome-ignore|oxlint-disable|#\s*(type:\s*ignore|noqa|pylint:\s*disable|pyright:\s*ignore)/,
    'silences a checker',
  ],
  // A type that is everything says nothing to a type checker.
  [
    /\bas any\b|\bas unknown as\b|<any>|[\w)\]]\??:\s*any(\[\])*\s*([,;)={]|$)|\bcast\(\s*["']?(typing\.)?Any\b/,
    'silences a checker',
  ],
  [/#!?\[allow\(|@SuppressWarnings|\/\/\s*nolint|#\s*nosec|rubocop:disable/, 'silences a checker'],
  [
    /["']?(skipLibCheck|ignore_missing_imports|ignore_errors|allow_untyped_defs)["']?\s*[:=]\s*true/i,
    'loosens a checker',
  ],
  [/["'][\w@/-]+["']\s*:\s*\[?\s*["']off["']/, 'switches a rule off'],
  [/["']?(strict\w*|noImplicit\w*|noUnchecked\w*|checkJs)["']?\s*[:=]\s*false/, 'loosens a checker'],
]
/** Code that is compiled or run: a file of it that is gone is not checked any more. */
export const code = /\.([cm]?[jt]sx?|py|go|rs|java|kt|cs|php|rb|swift|c|cc|cpp|h|hpp|scala|ex|exs|dart|lua|vue|svelte)$/
export const prose = /\.(md|mdx|rst|txt|adoc)$/i

export const thresholdKey =
  /["']?([\w.-]*(?:threshold|coverage|fail_under|fail-under|branches|functions|statements|lines|min)[\w.-]*)["']?\s*[:=]\s*([\d.]+)/i
export const ceilingKey = /(max-warnings|maxWarnings|max_errors|max-errors)["']?\s*[:= ]\s*([\d.]+)/i
export const settingFile = /\.(json|ya?ml|toml|cfg|ini|conf)$|(^|\/)\.[\w.-]+rc$|\.config\.[cm]?[jt]s$/

/** Keys of settings that say what is looked at: a repair has no need to change them. */
export const scopeKey =
  /(?:^|[{,])\s*["']?(exclude|ignore|per-file-ignores|extend-ignore|testpaths|testMatch|testRegex|addopts|norecursedirs|python_files|include|spec|skip|deselect|bail|retries|retry|reruns|omit|ignorePatterns)["']?\s*[:=]/

/** Settings of programs that check: a new one says as much as a changed one. */
export const runnerSettings =
  /(^|\/)(pytest\.ini|tox\.ini|setup\.cfg|\.coveragerc|\.taprc|\.rspec|(jest|vitest|ava|karma|playwright|cypress)\.config\.[cm]?[jt]s)$/

/** A rule of a linter that is switched off or made a warning, by a number or a word. */
export const linterSettings = /(^|\/)\.?eslint(rc|\.config)[^/]*$/
export const weakRule = /["']?[\w@/-]+["']?\s*:\s*\[?\s*(0\b|1\b|["'](off|warn)["'])/

/** Things that are equal to everything. */
export const alwaysEqual =
  /def __(?:eq|ne)__\([^)\n]*\)[^:\n]*:\s*return (?:True|False)\b|\bequals\([^)\n]*\)\s*\{\s*return true\b/g

/** Files that only say what checkers leave out. */
export const ignoreFile = /(^|\/)\.(eslint|prettier|stylelint|mocha|nyc|coverage|test)ignore$|(^|\/)\.mocharc\b/

/** Tests and assertions as languages write them: fewer of them is a test that is gone, also inside a source file. */
export const testMarks =
  /^\s*(#\[(tokio::)?test\]|@(Test|ParameterizedTest)\b|(async )?def test_|func Test\w|(it|test|specify)\s*\(|TEST(_F|_P)?\s*\(|\[(Fact|Theory|TestMethod|Test)\]|>>> )/gm
export const assertions = /\b(assert\w*!?|expect|EXPECT_\w+|ASSERT_\w+|debug_assert\w*!)\s*[\s(]/g
/** A file that is a test by what it does, whatever its name: a program of assertions. */
export const isTestProgram = (text: string): boolean =>
  (/\bint main\s*\(/.test(text) && /\bassert\s*\(/.test(text)) ||
  /(from|require\()\s*['"]((node:)?assert(\/strict)?|chai)['"]/.test(text)

/** What a test expects, line by line: an assertion, or the line under a doctest's prompt. */
export const expectation =
  /^\s*(?:\w+\.)*(?:assert\w*!?|expect|EXPECT_\w+|ASSERT_\w+)\b.*$|(?<=^[ \t]*>>> .*\n)[ \t]*(?!>>>|\.\.\.)\S.*$/gm
