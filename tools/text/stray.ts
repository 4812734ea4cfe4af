/**
 * UTF-8 with a few bytes that are not: each such byte becomes a lone surrogate U+DC80 to U+DCFF and comes back as
 * itself (the way of Python's `surrogateescape`, PEP 383), so that editing another line does not change it.
 */

export interface StrayText {
  readonly text: string
  /** The file speaks UTF-8 and only stumbles: at least four whole multi-byte characters for each stray byte. */
  readonly mostlyUtf8: boolean
}

export function decodeStray(bytes: Buffer): StrayText {
  const parts: string[] = []
  let whole = 0
  let strays = 0
  let start = 0
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at)
    if (length === 0) {
      parts.push(bytes.toString('utf8', start, at), String.fromCharCode(0xdc00 + bytes[at]!))
      strays += 1
      at += 1
      start = at
      continue
    }
    if (length > 1) whole += 1
    at += length
  }
  parts.push(bytes.toString('utf8', start))
  return { text: parts.join(''), mostlyUtf8: strays > 0 && whole >= strays * 4 }
}

/** Lone surrogates of the escape range become their byte again; any other lone surrogate becomes U+FFFD. */
export function encodeStray(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8')
  const pieces = text.split(/(?<![\ud800-\udbff])([\udc80-\udcff])/)
  return Buffer.concat(
    pieces.map((piece, i) => (i % 2 === 1 ? Buffer.from([piece.charCodeAt(0) - 0xdc00]) : Buffer.from(piece, 'utf8'))),
  )
}

/** Bytes of the well-formed UTF-8 sequence at `at` (Unicode, table 3-7); 0 when there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at]!
  if (lead < 0x80) return 1
  const length =
    lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i]
    const low = i > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    const high = i > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
    if (byte === undefined || byte < low || byte > high) return 0
  }
  return length
}
