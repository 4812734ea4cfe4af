/** The user's words without what they quote of a program's output. */

/**
 * Lines that only tests and failing programs write: pytest (rules, `E   …`, `> …`, its places and sums), unittest, tracebacks of
 * Python and of JavaScript, jest and vitest (●, numbered source), TAP, Go, Cargo.
 */
const output = new RegExp(
  `^(?:${[
    String.raw`(?:([=_~*!+-]) ?)(?:\1 ?){7,}.*|[=_] \S.* [=_]|E\s*|E {2,}\S.*|> {2,}\S.*|[.FEsxX]+(?: +\[ *\d+%\])?`,
    String.raw`Traceback \(most recent call last\):| +File ".*", line \d+.*|(?:\w+\.)*\w*(?:Error|Exception|Failure)\b(?::.*)?`,
    String.raw`(?:FAILED|FAIL|ERROR|PASSED|PASS|--- FAIL|--- PASS)[: ]\s*\S+.*|(?:not )?ok \d+.*|test \S+ \.\.\. \w+`,
    String.raw`\S+\.\w{1,4}:\d+(?::\d+)?:? *(?:\w*(?:Error|Exception|Failed|Failure)\b.*)?| +at \S.*:\d+:\d+\)?`,
    String.raw`Ran \d+ tests? in .*|(?:FAILED|OK) ?\(.*\)|=* ?\d+ (?:failed|passed|errors?)\b.*`,
    String.raw` *[●✕✗×] .*|\s*>?\s*\d+ \| .*|(?:Tests?|Test Suites|Snapshots|Time|Duration): +\d.*`,
  ].join('|')})$`,
)
const isOutput = (line: string): boolean => output.test(line.slice(0, beginning))
/** So much of a line tells what it is. In characters. */
const beginning = 300

/** What stands between such lines: code, the values of variables, nothing. */
const between = /^(?:\s.*|\w+ += .*|@\w.*|(?:Expected|Received|Actual)\b.*|)$/

/**
 * Leaves out each stretch of output, from its first line that only a program writes to its last. What it says of the code that was
 * wrong is what a small model writes again; what should come of which call is found by the checks (checks/examples).
 */
export function withoutOutput(task: string): string {
  const lines = task.split('\n')
  const kept: string[] = []
  let isFenced = false
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    const last = isOutput(line) ? lastOfOutput(lines, at) : undefined
    if (last === undefined) {
      kept.push(line)
      if (fence.test(line)) isFenced = !isFenced
      continue
    }
    // Where that is all a fence holds, it goes as well.
    const opens = kept.findLastIndex(hasWords)
    let closes = last + 1
    while (closes < lines.length && !hasWords(lines[closes]!)) closes += 1
    const isAll = isFenced && fence.test(kept[opens] ?? '') && fence.test(lines[closes] ?? '')
    at = isAll ? closes : last
    if (!isAll) continue
    kept.splice(opens)
    isFenced = false
  }
  return kept.length === lines.length ? task : kept.join('\n').replace(/\n{3,}/g, '\n\n')
}

const fence = /^ {0,3}(?:```|~~~)/
const hasWords = (line: string): boolean => line.trim() !== ''

/** The last line of the output that begins here; undefined where one line is all there is of it: words may look like that, too. */
function lastOfOutput(lines: readonly string[], from: number): number | undefined {
  let last = from
  for (let at = from + 1; at < lines.length; at++) {
    const line = lines[at]!
    if (isOutput(line)) last = at
    else if (!between.test(line)) break
  }
  return last === from ? undefined : last
}
