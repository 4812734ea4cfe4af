import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { catalogFile } from '../../../engine/catalog/store.ts'
import {
  addRecord,
  defaultEntry,
  dialects,
  findModel,
  listModels,
  readGgufHeader,
  removeModel,
  resolveModel,
} from '../../../engine/index.ts'
import { text, u32, writeGguf } from '../../models/gguf.ts'

let folder: string
const folders = (): { models: string } => ({ models: join(folder, 'models') })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cachalot-resolve-'))
  await mkdir(join(folder, 'models'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const hermes = '{{ \'<|im_start|>\' }}<tool_call>{"name": <function-name>, "arguments": <args-json-object>}</tool_call>'

function model(name: string, metadata: Record<string, string> = {}, architecture = 'qwen2'): string {
  const file = join(folder, name)
  const all = { 'general.architecture': architecture, ...metadata }
  const numbers = {
    block_count: 24,
    embedding_length: 896,
    'attention.head_count': 14,
    'attention.head_count_kv': 2,
    feed_forward_length: 4864,
    context_length: 2048,
  }
  writeGguf(
    file,
    {
      ...Object.fromEntries(Object.entries(all).map(([key, value]) => [key, text(value)])),
      ...Object.fromEntries(Object.entries(numbers).map(([key, value]) => [`${architecture}.${key}`, u32(value)])),
    },
    [{ name: 'x', type: 0, shape: [32], fill: () => 0 }],
  )
  return file
}

/** A file of the right size costs nothing on disk. */
async function pretendDownloaded(): Promise<string> {
  const file = catalogFile(defaultEntry(), folders())
  await writeFile(file, 'GGUF')
  await truncate(file, defaultEntry().bytes)
  return file
}

test('a catalog model that is here is its file, in any case of letters', async () => {
  const file = await pretendDownloaded()
  const resolved = await resolveModel('Qwen2.5-Coder-1.5B', folders())
  expect(resolved).toMatchObject({ name: 'qwen2.5-coder-1.5b', file, bytes: 1_117_320_768 })
  expect(resolved.traits).toMatchObject({ dialect: 'fenced', finishes: 'edits', prompt: 'small' })
})

test('a catalog model of the wrong size counts as not here, and the error names the command', async () => {
  await writeFile(catalogFile(defaultEntry(), folders()), 'GGUF')
  await expect(resolveModel('qwen2.5-coder-1.5b', folders())).rejects.toMatchObject({
    kind: 'not-on-disk',
    message: 'qwen2.5-coder-1.5b is not on this machine. Run: cachalot model pull qwen2.5-coder-1.5b',
  })
})

test('an unknown name names the nearest, also among records', async () => {
  await addRecord({ name: 'my-model', file: model('a.gguf'), bytes: 1, owner: 'own', origin: 'a' }, folders())
  await expect(resolveModel('mymodel', folders())).rejects.toThrow(/Did you mean my-model\?/)
  await expect(resolveModel('qwen2.5-coder', folders())).rejects.toThrow(/Did you mean qwen2.5-coder-/)
})

test.each([
  [
    'the small coders that were measured',
    { 'general.basename': 'Qwen2.5-Coder', 'general.size_label': '1.5B' },
    'fenced',
  ],
  [
    'a larger one',
    { 'general.basename': 'Qwen2.5-Coder', 'general.size_label': '7B', 'tokenizer.chat_template': hermes },
    'qwen',
  ],
  ['Hermes calls in ChatML', { 'tokenizer.chat_template': hermes }, 'qwen'],
])('the dialect of a file outside the catalog comes from its metadata: %s', async (_, metadata, dialect) => {
  const file = model('some.gguf', metadata)
  expect(await resolveModel(file, folders())).toMatchObject({
    name: file,
    file,
    entry: undefined,
    traits: { dialect, architecture: 'qwen2', contextTokens: 2048 },
  })
})

test.each([
  ['deepseek4', "set dsml_token = '｜DSML｜' 'tool_calls' 'Beyond maximum — exhaustive'", 'deepseek-v4'],
  ['deepseek4', "set dsml_token = '｜DSML｜' 'tool_calls' 'Absolute maximum'", 'deepseek-v4-preview'],
  ['deepseek4', '<｜System｜> ｜DSML｜ calls', 'deepseek-v4.1'],
  ['deepseek2', '｜DSML｜ function_calls', 'deepseek-v3.2'],
  ['gpt-oss', '<|start|><|channel|>', 'harmony'],
  ['deepseek2', '[gMASK]<sop> <arg_key> clear_thinking', 'glm'],
  ['gemma4', '<|turn> <|tool_call>call:', 'gemma'],
  ['qwen35moe', '<|im_start|> <tool_call> <function= enable_thinking', 'qwen-xml'],
  ['qwen3moe', '<|im_start|> <tool_call> <function= <name>', 'qwen-xml-coder'],
])('the template of a %s file that holds "%s" tells its dialect', async (architecture, template, dialect) => {
  const file = model('some.gguf', { 'tokenizer.chat_template': template }, architecture)
  expect((await resolveModel(file, folders())).traits).toMatchObject({ dialect, prompt: 'full', finishes: 'words' })
})

test('DeepSeek files without a template say their release by name, or are not guessed', async () => {
  const dated = model('a.gguf', { 'general.name': 'DeepSeek V4 Flash 0731' }, 'deepseek4')
  expect((await resolveModel(dated, folders())).traits.dialect).toBe('deepseek-v4')
  const undated = model('b.gguf', { 'general.name': 'DeepSeek V4 Flash' }, 'deepseek4')
  await expect(resolveModel(undated, folders())).rejects.toThrow(/--dialect <name>: deepseek-v3.2, deepseek-v4/)
})

test('V4.1 with Engram names the remote way, whatever dialect is asked for', async () => {
  const file = model('some.gguf', { 'deepseek4.engram.layers': '1' }, 'deepseek4')
  const named = model('other.gguf', {}, 'deepseek41')
  await expect(resolveModel(named, folders())).rejects.toMatchObject({ kind: 'beyond-engine' })
  for (const dialect of [undefined, 'deepseek-v4.1']) {
    await expect(resolveModel(file, folders(), { dialect })).rejects.toMatchObject({
      kind: 'beyond-engine',
      message: expect.stringMatching(/Engram.*cachalot remote show vllm.*--preset vllm/),
    })
  }
})

test('V4.1 is known by its architecture alone, where its keys are spelt otherwise', async () => {
  const file = join(folder, 'bare.gguf')
  writeGguf(file, { 'general.architecture': text('deepseek41') }, [])
  await expect(resolveModel(file, folders())).rejects.toMatchObject({ kind: 'beyond-engine' })
})

test('a file that nobody knows how to speak to needs --dialect, and gets it', async () => {
  const file = model('some.gguf')
  await expect(resolveModel(file, folders())).rejects.toMatchObject({ kind: 'unknown-dialect' })
  await expect(resolveModel(file, folders())).rejects.toThrow(/--dialect <name>/)
  await expect(resolveModel(file, folders(), { dialect: 'klingon' })).rejects.toThrow(/no dialect "klingon"/)
  for (const dialect of Object.keys(dialects)) {
    expect((await resolveModel(file, folders(), { dialect })).traits.dialect).toBe(dialect)
  }
})

test('what is no model file says what it is', async () => {
  const page = join(folder, 'page.gguf')
  await writeFile(page, '<html>')
  await expect(resolveModel(page, folders())).rejects.toMatchObject({ name: 'EngineError', kind: 'not-gguf' })
  await expect(resolveModel('./none.gguf', folders(), { cwd: folder })).rejects.toMatchObject({ kind: 'file-missing' })
})

test('memory of a file is reckoned from its header: the 0.5B has 12,288 bytes of KV a token', async () => {
  const { memory } = await resolveModel(model('some.gguf'), folders(), { dialect: Object.keys(dialects)[0] })
  expect(memory.kvBytesPerToken).toBe(12_288)
})

test('a record resolves by name, and its file is never deleted with it', async () => {
  const file = model('mine.gguf', { 'tokenizer.chat_template': hermes })
  await addRecord({ name: 'mine', file, bytes: 5, owner: 'own', origin: file }, folders())
  expect(await resolveModel('mine', folders())).toMatchObject({ name: 'mine', file })
  const stored = await findModel('mine', folders())
  if (stored === undefined) throw new Error('not stored')
  expect(await removeModel(stored, folders())).toEqual({ file: undefined, record: true })
  expect((await stat(file)).isFile()).toBe(true)
  expect(await findModel('mine', folders())).toBeUndefined()
})

test('a record of the catalog model in a file of the user keeps that file when it is removed', async () => {
  const { name, sha256, bytes } = defaultEntry()
  const file = join(folder, 'own.gguf')
  await writeFile(file, 'GGUF')
  await addRecord({ name, file, bytes, owner: 'own', origin: file, sha256 }, folders())
  expect(await resolveModel(name, folders())).toMatchObject({ file, traits: { dialect: 'fenced' } })
  const stored = await findModel(name, folders())
  if (stored !== undefined) await removeModel(stored, folders())
  expect(await readFile(file, 'utf8')).toBe('GGUF')
})

test('a download is deleted with its part and its tag', async () => {
  const file = await pretendDownloaded()
  await writeFile(`${file}.part`, 'x')
  const stored = await findModel(defaultEntry().name, folders())
  if (stored === undefined) throw new Error('not stored')
  expect(await removeModel(stored, folders())).toEqual({ file, record: false })
  expect((await listModels(folders())).every((known) => !known.onDisk && known.partBytes === 0)).toBe(true)
})

test('names that are taken or cannot be names are refused', async () => {
  const record = { file: '/a.gguf', bytes: 1, owner: 'own' as const, origin: '/a.gguf' }
  await addRecord({ ...record, name: 'taken' }, folders())
  await addRecord({ ...record, name: 'taken' }, folders())
  await expect(addRecord({ ...record, name: 'taken', file: '/b.gguf' }, folders())).rejects.toThrow(/rm taken/)
  await expect(addRecord({ ...record, name: defaultEntry().name }, folders())).rejects.toThrow(/--name/)
  for (const name of ['../up', 'a/b', '', '.hidden', 'Upper', 'x.gguf']) {
    await expect(addRecord({ ...record, name }, folders())).rejects.toMatchObject({ kind: 'bad-name' })
  }
})

test('a broken record does not take the others with it', async () => {
  await writeFile(join(folder, 'models', 'broken.model.json'), '{"name": "../evil", "file": 5}')
  await writeFile(join(folder, 'models', 'half.model.json'), '{"na')
  await addRecord({ name: 'fine', file: '/a.gguf', bytes: 1, owner: 'own', origin: 'x' }, folders())
  expect((await listModels(folders())).filter((known) => known.entry === undefined)).toMatchObject([{ name: 'fine' }])
})

const real = process.env['CACHALOT_REAL_MODEL']
test.runIf(real)('the real file, given by its path, is spoken to as the catalog says', async () => {
  const header = await readGgufHeader(real ?? '')
  const resolved = await resolveModel(real ?? '', folders())
  expect(resolved.bytes).toBe(header.fileBytes)
  expect(resolved.traits).toMatchObject({ dialect: 'fenced', finishes: 'edits', contextTokens: 32_768 })
})
