/** A JSON call that is not in a fence: a line that begins with `<tool_call>` or `{`, until the tag or the value ends. */
import type { FencedOutput } from './fenced-output.ts'
import { looksLikeCall, readBareCalls, readCalls } from './json-call.ts'
import { jsonScanner } from './json-text.ts'

const openTag = '<tool_call>'
const closeTag = '</tool_call>'

export interface JsonRegion {
  /** Takes a line; gives what stands after the end of the region, undefined while it goes on. */
  line(line: string): string | undefined
  /** The reply ended inside. */
  end(): void
}

export function beginsJson(line: string): boolean {
  return /^\s*(?:\{|<tool_call>)/.test(line)
}

/** To be fed with the line that `beginsJson` first. */
export function jsonRegion(out: FencedOutput, first: string): JsonRegion {
  const tagged = first.trimStart().startsWith(openTag)
  const scanner = jsonScanner()
  let text = ''
  /** The last characters: looked at for every `>`, so never the whole. */
  let tail = ''
  let skip = tagged ? first.indexOf(openTag) + openTag.length : 0

  /** Outside of a string, or on a line of its own: inside of JSON strings a newline is written `\n`. */
  function closes(): boolean {
    return tail.endsWith(closeTag) && (!scanner.inString || /\n[ \t]*<\/tool_call>$/.test(tail))
  }

  function settle(json: string): void {
    const calls = tagged ? undefined : readBareCalls(json)
    if (calls !== undefined) out.emitAll(calls, json.trim())
    else if (tagged || looksLikeCall(json)) {
      const read = readCalls(json)
      if ('calls' in read) out.emitAll(read.calls, json.trim())
      else out.malformed(json.trim(), read.problem)
    } else out.say(json)
  }

  return {
    line(line) {
      for (let at = skip; at <= line.length; at += 1) {
        const character = line[at] ?? '\n'
        text += character
        tail = (tail + character).slice(-80)
        const whole = scanner.push(character)
        if (tagged ? character !== '>' || !closes() : !whole) continue
        settle(tagged ? text.slice(0, -closeTag.length) : text)
        return line.slice(at + 1)
      }
      skip = 0
      return undefined
    },
    end() {
      if (tagged && !isJson(text)) {
        out.malformed(
          text.trim(),
          'The reply ended inside a <tool_call>: nothing of it was done. Write the whole call.',
        )
      } else settle(text)
    },
  }
}

/** Whether a text is complete JSON: only then is a call without its end believed. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // Any error means that it is not.
    return false
  }
}
