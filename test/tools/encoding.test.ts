import fc from 'fast-check'
import iconv from 'iconv-lite'
import { expect, test } from 'vitest'
import { decodeText, EncodingError, encodeText } from '../../tools/text/encoding.ts'

const japanese =
  '// 設定ファイルを読み込みます。エラーが発生した場合は例外を投げます。\nconst 名前 = "日本語テキスト";\n'
const chinese = '// 读取配置文件，如果发生错误则抛出异常。\nconst 名称 = "简体中文文本";\n这是一个测试文件。\n'
const french = "# Le café est fermé à midi, l'été déjà passé.\nprint('déjà vu, garçon, naïve')\n"

test.each([
  ['utf-8', Buffer.from('naïve ✅\n'), 'utf-8', false],
  ['utf-8 with a mark', Buffer.from('\ufeffnaïve\n'), 'utf-8', true],
  ['utf-16le', Buffer.from('\ufeffnaïve ✅\n', 'utf16le'), 'utf-16le', true],
  ['utf-16be', Buffer.from('\ufeffnaïve ✅\n', 'utf16le').swap16(), 'utf-16be', true],
  ['shift_jis', iconv.encode(japanese, 'shift_jis'), 'shift_jis', false],
  ['gbk', iconv.encode(chinese, 'gbk'), 'gb18030', false],
  ['latin-1', iconv.encode(french, 'latin1'), 'latin-1', false],
])('%s is detected, and comes back as the same bytes', async (_name, bytes, encoding, bom) => {
  const decoded = await decodeText(bytes)
  expect(decoded?.format).toEqual({ encoding, bom })
  expect(decoded?.text.startsWith('\ufeff')).toBe(false)
  expect(await encodeText(decoded!.text, decoded!.format)).toEqual(bytes)
})

test('text is what was written', async () => {
  expect((await decodeText(iconv.encode(japanese, 'shift_jis')))?.text).toBe(japanese)
  expect((await decodeText(iconv.encode(chinese, 'gbk')))?.text).toBe(chinese)
  expect((await decodeText(iconv.encode(french, 'latin1')))?.text).toBe(french)
})

test('too little text to tell: kept as bytes, and nothing foreign is written into it', async () => {
  const bytes = iconv.encode('设置选项', 'gbk')
  const decoded = await decodeText(bytes)
  expect(decoded?.format.encoding).toBe('latin-1')
  expect(await encodeText(decoded!.text, decoded!.format)).toEqual(bytes)
  await expect(encodeText(`${decoded!.text}设置`, decoded!.format)).rejects.toThrow(EncodingError)
})

test('a character that the encoding lacks is refused by name', async () => {
  await expect(encodeText('ok ✅', { encoding: 'shift_jis', bom: false })).rejects.toThrow(EncodingError)
  await expect(encodeText('ok ✅', { encoding: 'latin-1', bom: false })).rejects.toThrow('U+2705')
})

test.each([
  ['an image', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13])],
  ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 65, 0, 0, 0])],
  ['compressed data without NUL', Buffer.from(Array.from({ length: 600 }, (_, i) => ((i * 197) % 255) + 1))],
])('%s is binary', async (_name, bytes) => {
  expect(await decodeText(bytes)).toBeUndefined()
})

test('stray bytes in UTF-8 stay what they are', async () => {
  const bytes = Buffer.concat([Buffer.from('äöüß €\n'), Buffer.from([0xff, 0xe9]), Buffer.from('\nüüüüü\n')])
  const decoded = await decodeText(bytes)
  expect(decoded?.format.encoding).toBe('utf-8')
  const edited = decoded!.text.replace('€', 'EUR')
  expect(await encodeText(edited, decoded!.format)).toEqual(
    Buffer.concat([Buffer.from('äöüß EUR\n'), Buffer.from([0xff, 0xe9]), Buffer.from('\nüüüüü\n')]),
  )
})

test('whatever bytes are text encode back to exactly these bytes', async () => {
  const pieces = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.string({ maxLength: 8 }).map((text) => Buffer.from(text)),
    fc.constantFrom(japanese, chinese, french).map((text) => iconv.encode(text, 'shift_jis')),
    fc.constantFrom(Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff]), Buffer.from([0xef, 0xbb, 0xbf])),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 6 }), async (parts) => {
      const bytes = Buffer.concat(parts)
      const decoded = await decodeText(bytes)
      if (decoded) expect(await encodeText(decoded.text, decoded.format)).toEqual(bytes)
    }),
    { numRuns: 500 },
  )
})
