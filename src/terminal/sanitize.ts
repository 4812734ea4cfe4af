/**
 * Text that we did not write (model, files, tools, servers) made safe to show: what a terminal would obey is shown
 * as a visible mark instead. Works on single characters, never on sequences, so that a sequence split over two
 * chunks is as harmless as one that came whole.
 */

/**
 * What may not reach a terminal, as a set of characters:
 * - C0 controls but newline and tab, DEL, and the C1 controls (a single U+009B is a CSI for an 8-bit terminal);
 * - line and paragraph separators; bidirectional marks, embeddings, overrides and isolates (CVE-2021-42574);
 * - the tag block, which hides text in plain sight, and interlinear annotations;
 * - halves of surrogate pairs, which become invalid UTF-8.
 */
const dangerous =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]/gu

/** The text with every dangerous character made visible: ESC as `␛`, U+202E as `<U+202E>`, a broken half as U+FFFD. */
export function sanitize(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(dangerous, visible)
}

/** The same for what must stay on one line (paths, commands, names): newline and tab are made visible too. */
export function sanitizeLine(text: string): string {
  return sanitize(text).replaceAll('\n', '␊').replaceAll('\t', ' ')
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return '␡'
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd'
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}

/**
 * JSON on one line in which no character could be obeyed by a terminal that it is printed on: what `sanitize` would
 * mark is written as a `\u` escape, so that nothing is lost for the program that reads it.
 */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(dangerous, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}
