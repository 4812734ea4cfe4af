/** Makes foreign text safe to show: what a terminal would obey is taken out, what a person reads stays. */

/**
 * Control sequences of ECMA-48: operating system commands and the other strings (DCS, SOS, PM, APC) up to their end,
 * control sequences (CSI), and two-character escapes; in 7-bit and 8-bit form. An unfinished string runs to its line's end.
 */
const SEQUENCES =
  /(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c|(?=\n)|(?=\x1b)|$)|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?/g
/** C0 but tab and newline, DEL, C1. */
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g
/** Marks that reorder or hide text on the line (Unicode Bidi_Control, and separators that break it). */
const INVISIBLE = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/g

/**
 * Text without anything that a terminal obeys: no colours, titles, links, clipboard writes, cursor movement, and no
 * bidirectional overrides. A carriage return overwrites its line, as on a terminal (progress bars leave their last state).
 */
export function plainText(text: string): string {
  return text
    .replace(SEQUENCES, '')
    .replace(/\r+\n/g, '\n')
    .replace(/^[^\n]*\r(?=[^\n])/gm, '')
    .replace(CONTROLS, '')
    .replace(INVISIBLE, '')
}
