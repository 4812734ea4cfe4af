/**
 * Reads replies whose calls are written as code fences. Line by line; the rules, in the order in which they are tried:
 *
 * Outside of a fence
 *  1. ``` or ~~~ (three or more, indented by up to eight) opens a fence.
 *  2. `<<<<<<< SEARCH` begins a block; `=======` divides it and `>>>>>>> REPLACE` ends it: `edit {path, old, new}`.
 *     Its path: on the head line, on a path line above it (in or before its fence), else that of the block before,
 *     else the one file in play. Exactly one divider, or it is malformed.
 *  3. `<tool_call>` at the beginning of a line begins a JSON call, `</tool_call>` ends it.
 *  4. A line that begins with `{` begins a JSON object; it is a call when it holds a name and arguments, else text.
 *  5. A path line (see path-line.ts) names the fence or block that follows, over blank lines. Else it is text.
 *  6. Everything else is text.
 *
 * A fence with a path (before it, after the language, or as its first line: `# x.py` alone, taken off) is
 * `write {path, content}`. Without a path:
 *  7. whose only line is a path: a path line (rule 5);
 *  8. `sh`, `bash`, `shell`, `zsh`, `console`: `shell {command}` (`$ ` prompts are taken off and then other lines
 *     are output); text where no shell is on offer. A `#!` script is a file;
 *  9. named like a tool that takes one text (`read`, `list`, `search`): that call;
 * 10. JSON with a name and arguments: a call;
 * 11. the one file in play that the heading, or the sentence ending in a colon, before the fence speaks of; else the one
 *     whose extension fits the language; else, without a known language, the only file in play. Of several such fences
 *     for one file the longest counts, and none after another call or when that file is named in a path line;
 * 12. a language that only shows something (`text`, `output` …): text;
 * 13. anything else is text, and malformed at the end of a reply without any call: the model is told to name the path.
 * Fences inside: see fence.ts. What is open at the end of the reply is malformed and not done.
 */
import type { ParserOptions, ReplyParser } from '../dialect.ts'
import { fenceOpening, openFence } from './fence.ts'
import { diffLanguages } from './fence-language.ts'
import { diffProblem, type FenceReader, fenceReader } from './fence-reader.ts'
import { type FencedOutput, fencedOutput } from './fenced-output.ts'
import { beginsJson, type JsonRegion, jsonRegion } from './json-region.ts'
import { mentionedFile, pathLine } from './path-line.ts'
import { isReplaceEnd, searchHead, splitBlock } from './search-block.ts'

interface Block {
  readonly path: string | undefined
  readonly lines: string[]
}

export function fencedParser(options: ParserOptions): ReplyParser {
  const out = fencedOutput(options)
  const { files } = out
  let partial = ''
  /** A line of prose is said before it ends; then this is what was said of it. */
  let prose: string | undefined
  /** A path line that waits for what it names; its lines are text if nothing comes. */
  let named: { readonly path: string; readonly lines: string[] } | undefined
  let lastText = ''
  let lastBlockPath: string | undefined
  let fence: FenceReader | undefined
  /** The fence before this line was opened twice: its second end may follow. */
  let endsTwice = false
  let block: Block | undefined
  let json: JsonRegion | undefined

  function flushName(): void {
    for (const line of named?.lines ?? []) out.say(`${line}\n`)
    named = undefined
  }

  function outside(line: string): void {
    const opening = fenceOpening(line)
    if (endsTwice && line.trim() !== '') {
      endsTwice = false
      if (opening?.info === '') return
    }
    const head = opening === undefined ? searchHead(line) : undefined
    if (opening !== undefined) {
      fence = fenceReader(
        openFence(line, opening, { path: named?.path, hint: mentionedFile(lastText, files) }, files),
        out,
      )
      named = undefined
      lastText = ''
    } else if (head !== undefined) {
      beginBlock(head.rest, named?.path)
      named = undefined
    } else if (line.trim() === '') {
      if (named === undefined) out.say('\n')
      else named.lines.push(line)
    } else words(line)
  }

  function words(line: string): void {
    flushName()
    if (beginsJson(line)) {
      json = jsonRegion(out, line)
      inJson(json, line)
      return
    }
    const path = isProse(line) ? undefined : pathLine(line, files)
    if (path !== undefined) named = { path, lines: [line] }
    else out.say(`${line}\n`)
    lastText = line.slice(-400)
  }

  function inJson(region: JsonRegion, line: string): void {
    const rest = region.line(line)
    if (rest === undefined) return
    json = undefined
    if (rest.trim() === '') out.say('\n')
    else outside(rest)
  }

  function inFence(reader: FenceReader, line: string): void {
    const step = reader.line(line)
    if (step === 'open') return
    if (typeof step === 'object' && 'head' in step) {
      beginBlock(step.head, step.path)
      return
    }
    endsTwice = reader.wrapped
    fence = undefined
    if (typeof step === 'object') named = { path: step.named, lines: step.lines }
  }

  function beginBlock(rest: string, above: string | undefined): void {
    const own = rest === '' ? undefined : pathLine(rest, files)
    const path = own ?? above ?? lastBlockPath ?? (files.length === 1 ? files[0] : undefined)
    lastBlockPath = path
    block = { path, lines: [] }
    out.begin('edit', path)
  }

  function inBlock(current: Block, raw: string): void {
    const line = raw.slice(Math.min(fence?.fence.indent ?? 0, raw.length - raw.trimStart().length))
    const whole = current.lines.join('\n')
    const head = searchHead(line)
    if (head !== undefined) {
      out.malformed(whole, 'The SEARCH block before this one has no >>>>>>> REPLACE line.')
      beginBlock(head.rest, undefined)
    } else if (!isReplaceEnd(line)) {
      current.lines.push(line)
      out.delta(line)
    } else {
      block = undefined
      endBlock(current, whole)
    }
  }

  function endBlock({ path, lines }: Block, whole: string): void {
    const split = splitBlock(lines)
    if ('problem' in split) out.malformed(whole, split.problem)
    else if (path === undefined) {
      out.malformed(whole, 'The block names no file. Write its path alone on the line before <<<<<<< SEARCH.')
    } else out.emit({ name: 'edit', arguments: { path, old: split.old, new: split.new } })
  }

  function take(raw: string): void {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    if (block !== undefined) inBlock(block, line)
    else if (fence !== undefined) inFence(fence, line)
    else if (json !== undefined) inJson(json, line)
    else outside(line)
  }

  /** Says what there is of a line of prose; true when that line is over. */
  function sayProse(before: string): boolean {
    const newline = partial.indexOf('\n')
    const text = newline === -1 ? partial : partial.slice(0, newline)
    const words = text.endsWith('\r') ? text.slice(0, -1) : text
    out.say(words)
    prose = before + words
    partial = newline === -1 ? text.slice(words.length) : partial.slice(newline + 1)
    if (newline === -1) return false
    out.say('\n')
    lastText = prose.slice(-400)
    prose = undefined
    return true
  }

  function read(): void {
    for (;;) {
      if (prose !== undefined) {
        if (!sayProse(prose)) return
      } else {
        const newline = partial.indexOf('\n')
        if (newline !== -1) {
          const line = partial.slice(0, newline)
          partial = partial.slice(newline + 1)
          take(line)
        } else {
          const text = block === undefined && fence === undefined && json === undefined
          if (!text || !isProse(partial)) return
          flushName()
          prose = ''
        }
      }
    }
  }

  return {
    push(chunk) {
      // The rest of a long line is only looked at when it ends.
      if (partial === '' || prose !== undefined || chunk.includes('\n') || partial.length < 400) {
        partial += chunk
        read()
      } else partial += chunk
      return out.take()
    },
    end() {
      if (prose !== undefined) out.say(partial)
      else if (partial !== '') take(partial)
      partial = ''
      prose = undefined
      flushName()
      if (block !== undefined) {
        const problem =
          'The reply ended inside a SEARCH block, so it was not applied. Write it whole, to its >>>>>>> REPLACE line.'
        out.malformed(block.lines.join('\n'), problem)
      } else if (fence !== undefined) fence.end()
      else json?.end()
      settleOrphans(out)
      return out.take()
    },
  }
}

function settleOrphans(out: FencedOutput): void {
  for (const call of out.orphans.settle(undefined)) out.emit(call)
  const lost = out.orphans.unplaced()
  if (out.answered || lost === undefined) return
  const shown = out.files.length === 0 ? '' : ` The files shown are: ${out.files.slice(0, 8).join(', ')}.`
  const whichFile = `Which file is this code for? Write its path alone on the line before the fence, and the whole file in the fence.${shown}`
  out.malformed(lost.content, diffLanguages.has(lost.language) ? diffProblem : whichFile)
}

/** A line of ten words or more that begins with none of the marks can only be text. */
function isProse(line: string): boolean {
  return /^\s*[^\s`~<{](?:\S*\s+){9}/.test(line.slice(0, 400))
}
