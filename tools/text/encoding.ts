/** Bytes of a file to text and back, so that a file keeps its encoding and every byte that was not edited. */
import { isUtf8 } from 'node:buffer'
import { decodeStray, encodeStray } from './stray.ts'

/** How a file spells its text. `encoding` is `utf-8`, `utf-16le`, `utf-16be`, `latin-1` or a name that iconv-lite knows. */
export interface TextFormat {
  readonly encoding: string
  /** A byte order mark stands first; it is never part of the text. */
  readonly bom: boolean
}

export interface DecodedText {
  readonly text: string
  readonly format: TextFormat
}

/** The format of a file that we make. */
export const plainUtf8: TextFormat = { encoding: 'utf-8', bom: false }

/** Text that the file's encoding has no character for. `character` is the first such one. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError'
  readonly character: string
  constructor(character: string, encoding: string) {
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    super(
      `The file is ${encoding}, which cannot hold ${JSON.stringify(character)} (U+${code}). Write it in ASCII, or convert the file to UTF-8 first.`,
    )
    this.character = character
  }
}

const utf8Bom = Buffer.from([0xef, 0xbb, 0xbf])
/** As git and ripgrep do: a NUL this early means binary. */
const nulWindow = 8192
/** Enough for chardet; it reads every byte it is given, for some 30 encodings. */
const detectionWindow = 65_536
/** chardet gives 10 of 100 to whatever is merely possible. */
const surely = 20

/** Undefined for a binary file. What is returned encodes back to exactly these bytes. */
export async function decodeText(bytes: Buffer): Promise<DecodedText | undefined> {
  if (bytes.length >= 2 && bytes[0] === 0xff && bytes[1] === 0xfe) return decodeUtf16(bytes, 'utf-16le')
  if (bytes.length >= 2 && bytes[0] === 0xfe && bytes[1] === 0xff) return decodeUtf16(bytes, 'utf-16be')
  if (bytes.subarray(0, nulWindow).includes(0)) return undefined
  const bom = bytes.subarray(0, 3).equals(utf8Bom)
  const body = bom ? bytes.subarray(3) : bytes
  if (isUtf8(body)) return { text: body.toString('utf8'), format: { encoding: 'utf-8', bom } }
  if (looksBinary(body)) return undefined
  const stray = decodeStray(body)
  if (bom || stray.mostlyUtf8) return { text: stray.text, format: { encoding: 'utf-8', bom } }
  return decodeLegacy(body)
}

/** Rejects with EncodingError when the format has no bytes for a character of the text. */
export async function encodeText(text: string, format: TextFormat): Promise<Buffer> {
  const { encoding, bom } = format
  switch (encoding) {
    case 'utf-8': {
      const body = encodeStray(text)
      return bom ? Buffer.concat([utf8Bom, body]) : body
    }
    case 'utf-16le':
      return Buffer.from(`\ufeff${text}`, 'utf16le')
    case 'utf-16be':
      return Buffer.from(`\ufeff${text}`, 'utf16le').swap16()
    case 'latin-1': {
      const alien = /[^\u0000-\u00ff]/u.exec(text)
      if (alien) throw new EncodingError(alien[0], encoding)
      return Buffer.from(text, 'latin1')
    }
    default:
      return encodeWithIconv(text, encoding)
  }
}

function decodeUtf16(bytes: Buffer, encoding: 'utf-16le' | 'utf-16be'): DecodedText | undefined {
  // An odd byte has no place in UTF-16, and UTF-32 (whose mark begins alike) is full of NUL characters.
  if (bytes.length % 2 !== 0) return undefined
  const body = encoding === 'utf-16le' ? bytes : Buffer.from(bytes).swap16()
  const text = body.toString('utf16le', 2)
  return text.slice(0, nulWindow).includes('\0') ? undefined : { text, format: { encoding, bom: true } }
}

/** Text in any encoding has next to no control characters; compressed data and machine code are full of them. */
function looksBinary(bytes: Buffer): boolean {
  const head = bytes.subarray(0, nulWindow)
  const controls = head.reduce((n, b) => n + (b < 9 || (b > 13 && b < 32 && b !== 27) ? 1 : 0), 0)
  return controls > 1 && controls * 50 > head.length
}

/** Encodings that chardet may name and that we keep. Everything else is read as Latin-1, which loses no byte. */
const legacy: Readonly<Record<string, string>> = {
  Shift_JIS: 'shift_jis',
  'EUC-JP': 'euc-jp',
  'EUC-KR': 'euc-kr',
  Big5: 'big5',
  GB18030: 'gb18030',
  'KOI8-R': 'koi8-r',
  'windows-1251': 'windows-1251',
  'windows-1252': 'windows-1252',
  'ISO-8859-5': 'iso-8859-5',
  'ISO-8859-7': 'iso-8859-7',
}

async function decodeLegacy(bytes: Buffer): Promise<DecodedText> {
  const [{ default: chardet }, { default: iconv }] = await Promise.all([import('chardet'), import('iconv-lite')])
  const guesses = chardet.analyse(bytes.subarray(0, detectionWindow))
  for (const guess of guesses) {
    // Single-byte Western text: bytes are what they are in Latin-1, and no guess between its neighbours is needed. Nor is
    // a weak guess followed: writing in the wrong encoding would spoil the file, and Latin-1 refuses what it cannot hold.
    if (guess.name === 'ISO-8859-1' || guess.confidence < surely) break
    const encoding = legacy[guess.name]
    if (!encoding) continue
    const text = iconv.decode(bytes, encoding, { stripBOM: false })
    if (!text.includes('\ufffd') && iconv.encode(text, encoding).equals(bytes)) {
      return { text, format: { encoding, bom: false } }
    }
  }
  return { text: bytes.toString('latin1'), format: { encoding: 'latin-1', bom: false } }
}

async function encodeWithIconv(text: string, encoding: string): Promise<Buffer> {
  const { default: iconv } = await import('iconv-lite')
  const bytes = iconv.encode(text, encoding)
  const back = iconv.decode(bytes, encoding, { stripBOM: false })
  if (back !== text) {
    const alien = [...text].find((c) => iconv.decode(iconv.encode(c, encoding), encoding, { stripBOM: false }) !== c)
    throw new EncodingError(alien ?? '?', encoding)
  }
  return bytes
}
