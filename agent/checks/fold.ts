/** A log folded to what a repair needs: compiler errors, failing tests, traces. */
import { plainText } from '../../sandbox/index.ts'

/** Lines that tell what is wrong, as compilers, test runners and run-times write them. */
const telling = [
  /(^|[\s[(])(error|fatal|panic(ked)?|exception|traceback|failed|failure|failing|cannot|unresolved|undefined reference)\b/i,
  /\b[A-Z]\w*(Error|Exception)\b/,
  /^\s*(not ok\b|✖|✗|×|FAIL|E\s{2,}|-->|\^|AssertionError|assert\b)/,
  /\b(expected|actual|received|left|right)\b\s*[:=]/i,
  /(^|[\s(])(file:\/\/)?[\w@./-]+\.\w+[:(]\d+/,
  /^[+-]\s/,
  /^\s*\S{1,200} [!=]==? \S/,
]

/** Lines that tell nothing of what failed: what passed, frames of others' code, progress. */
const noise = [
  /^\s*(✓|✔|ok \d|PASS\b|PASSED\b|test .* \.\.\. ok$)/,
  /^\s*at .*(node:internal|node_modules\/|\(internal\/|<anonymous>\)$)|[\s(]node:[\w/]+:\d+:\d+\)?$/,
  // What node's assertions say of themselves beside both sides.
  /^\s*(code: '(ERR_ASSERTION|ERR_TEST_FAILURE)'|operator: |diff: |generatedMessage: |failureType: |name: 'AssertionError')/,
  /^✖ failing tests:$/,
  /site-packages\/|\/lib\/python3|<frozen /,
  /^\s*(Compiling|Downloading|Downloaded|Fetching|Installing|Checking|Finished|Resolving) /,
  /^\s*(duration_ms|type:|\.\.\.|---)\s*\S*\s*$/,
  /^npm (warn|notice|http)/i,
  /^[#ℹ] (Subtest|tests|suites|pass|cancelled|skipped|todo|duration_ms)\b/,
]

/** Lines shown around one that tells something. */
const around = { before: 1, after: 2 }
const defaultChars = 6000

/**
 * What matters of a log, in its own order, cut at about `maxChars`; lines left out are counted, less those that say nothing of
 * what failed. A log in which nothing is found is given by its end.
 */
export function foldLog(log: string, maxChars: number = defaultChars): string {
  const lines = plainText(log).trimEnd().split('\n')
  const kept = keptLines(lines)
  const folded = kept.size === 0 ? lines.slice(-40).join('\n') : joinKept(lines, kept)
  return cut(folded, maxChars)
}

function keptLines(lines: readonly string[]): Set<number> {
  const kept = new Set<number>()
  const seen = new Set<string>()
  lines.forEach((line, at) => {
    if (isNoise(line) || !telling.some((pattern) => pattern.test(line))) return
    // The same complaint a second time (a summary at the end) tells nothing new.
    const said = line.trim().replace(/\s*\([\d.]+ ?m?s\)/, '')
    if (seen.has(said)) return
    seen.add(said)
    for (let near = at - around.before; near <= at + around.after; near++) {
      const text = lines[near]
      if (text !== undefined && (near === at || (text.trim() !== '' && !isNoise(text)))) kept.add(near)
    }
  })
  return kept
}

const isNoise = (line: string): boolean => noise.some((pattern) => pattern.test(line))

function joinKept(lines: readonly string[], kept: ReadonlySet<number>): string {
  const parts: string[] = []
  let skipped = 0
  const tell = (): void => {
    if (skipped > 0) parts.push(`… ${skipped} ${skipped === 1 ? 'line' : 'lines'}`)
    skipped = 0
  }
  lines.forEach((line, at) => {
    if (!kept.has(at)) {
      if (/\w/.test(line) && !isNoise(line)) skipped += 1
      return
    }
    tell()
    parts.push(line.length > 400 ? `${line.slice(0, 400)}…` : line)
  })
  tell()
  return parts.join('\n')
}

/** The first errors are the causes, the end has the summary: two thirds and one third. */
function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const head = text.slice(0, Math.floor((maxChars * 2) / 3))
  const tail = text.slice(-Math.floor(maxChars / 3))
  return `${head.slice(0, head.lastIndexOf('\n') + 1 || head.length)}…\n${tail.slice(tail.indexOf('\n') + 1)}`
}
