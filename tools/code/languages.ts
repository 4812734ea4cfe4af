/** The 17 languages whose grammars come with the program, and which files are theirs. */

export interface Language {
  /** Also the name of the grammar's file: `<name>.wasm`. */
  readonly name: string
  readonly paths: RegExp
  /** Where the grammar is in a development tree: package and file in it (tree-sitter's own wasm form, dylink.0). */
  readonly source: readonly [packageName: string, file: string]
  /**
   * Whether a text that the grammar cannot read is surely wrong. Not for languages with a preprocessor or with dialects that
   * browsers forgive: there only what an edit makes worse counts.
   */
  readonly strict: boolean
}

const microsoft = (file: string): readonly [string, string] => [
  '@vscode/tree-sitter-wasm',
  `wasm/tree-sitter-${file}.wasm`,
]

export const languages: readonly Language[] = [
  { name: 'typescript', paths: /\.[mc]?ts$/, source: microsoft('typescript'), strict: true },
  { name: 'tsx', paths: /\.tsx$/, source: microsoft('tsx'), strict: true },
  { name: 'javascript', paths: /\.(?:[mc]?js|jsx)$/, source: microsoft('javascript'), strict: true },
  { name: 'python', paths: /\.pyi?$/, source: microsoft('python'), strict: true },
  { name: 'go', paths: /\.go$/, source: microsoft('go'), strict: true },
  { name: 'rust', paths: /\.rs$/, source: microsoft('rust'), strict: true },
  { name: 'java', paths: /\.java$/, source: microsoft('java'), strict: true },
  {
    name: 'c',
    paths: /\.[ch]$/,
    source: ['tree-sitter-c', 'tree-sitter-c.wasm'],
    strict: false,
  },
  { name: 'cpp', paths: /\.(?:cc|cpp|cxx|hh|hpp|hxx|inl)$/, source: microsoft('cpp'), strict: false },
  { name: 'csharp', paths: /\.cs$/, source: microsoft('c-sharp'), strict: false },
  {
    name: 'ruby',
    paths: /(?:\.(?:rb|rake|gemspec)|(?:^|\/)(?:Gemfile|Rakefile))$/,
    source: microsoft('ruby'),
    strict: true,
  },
  { name: 'php', paths: /\.php$/, source: microsoft('php'), strict: true },
  { name: 'bash', paths: /\.(?:sh|bash)$/, source: microsoft('bash'), strict: false },
  { name: 'json', paths: /\.json$/, source: ['tree-sitter-json', 'tree-sitter-json.wasm'], strict: false },
  {
    name: 'yaml',
    paths: /\.ya?ml$/,
    source: ['@tree-sitter-grammars/tree-sitter-yaml', 'tree-sitter-yaml.wasm'],
    strict: true,
  },
  { name: 'html', paths: /\.html?$/, source: ['tree-sitter-html', 'tree-sitter-html.wasm'], strict: false },
  { name: 'css', paths: /\.css$/, source: microsoft('css'), strict: false },
]

/** By the ending of the path; undefined where we have no grammar. */
export const languageOf = (path: string): Language | undefined => languages.find(({ paths }) => paths.test(path))

/** What stands in no header of C; `extern "C"` and what is for C++ only are in many. */
const cplusplus =
  /^[ \t]*(?:(?:class|namespace)\s+\w|template\s*<|(?:public|private|protected)\s*:|using\s+\w|#include\s*<[a-z_]+>)/m

/** The same, where the text may tell more than the path: a `.h` is of C or of C++. */
export function languageOfText(path: string, text: string): Language | undefined {
  const language = languageOf(path)
  if (language?.name !== 'c' || !path.endsWith('.h') || !cplusplus.test(text)) return language
  return languages.find(({ name }) => name === 'cpp')
}

/** The library's own code; scripts/build.ts copies it with the grammars. */
const runtime = ['web-tree-sitter', 'web-tree-sitter.wasm'] as const

/** Every file that the program needs at run time: the name it is shipped under, and where it is in node_modules. */
export const grammarFiles: readonly { readonly name: string; readonly source: string }[] = [
  { name: 'tree-sitter.wasm', source: runtime.join('/') },
  ...languages.map(({ name, source }) => ({ name: `${name}.wasm`, source: source.join('/') })),
]
