/** Reads the grammars: from beside the built program, in a development tree from their packages. */
import { readFile } from 'node:fs/promises'
import { Language as Grammar, Parser } from 'web-tree-sitter'
import { grammarFiles, type Language } from './languages.ts'

const bundled = !import.meta.url.endsWith('.ts')

function fileOf(name: string): URL {
  if (bundled) return new URL(`./grammars/${name}`, import.meta.url)
  const found = grammarFiles.find((file) => file.name === name)
  return new URL(`../../node_modules/${found?.source}`, import.meta.url)
}

let started: Promise<void> | undefined
const loaded = new Map<string, Promise<Grammar>>()

/** A parser for the language; the caller deletes it. Rejects when a file is missing or no grammar. */
export async function parserFor(language: Language): Promise<Parser> {
  started ??= readFile(fileOf('tree-sitter.wasm')).then((wasmBinary) => Parser.init({ wasmBinary }))
  await started
  let grammar = loaded.get(language.name)
  if (grammar === undefined) {
    grammar = readFile(fileOf(`${language.name}.wasm`)).then((bytes) => Grammar.load(bytes))
    loaded.set(language.name, grammar)
  }
  const parser = new Parser()
  return parser.setLanguage(await grammar)
}
