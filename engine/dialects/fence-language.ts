/** What the word after a code fence's backticks tells about its content. */

/** Extensions that a language's files have; the first word is the usual spelling. */
const languages: readonly (readonly [names: string, extensions: string])[] = [
  ['python py python3', 'py pyi pyw'],
  ['javascript js node', 'js mjs cjs jsx'],
  ['jsx', 'jsx js'],
  ['typescript ts', 'ts tsx mts cts'],
  ['tsx', 'tsx ts'],
  ['java', 'java'],
  ['kotlin kt', 'kt kts'],
  ['scala', 'scala'],
  ['groovy gradle', 'groovy gradle'],
  ['c', 'c h'],
  ['cpp c++ cxx cc', 'cpp cc cxx hpp hh h'],
  ['csharp cs c#', 'cs'],
  ['objective-c objc', 'm h'],
  ['go golang', 'go'],
  ['rust rs', 'rs'],
  ['zig', 'zig'],
  ['swift', 'swift'],
  ['ruby rb', 'rb'],
  ['php', 'php'],
  ['perl pl', 'pl pm'],
  ['lua', 'lua'],
  ['r', 'r R'],
  ['julia jl', 'jl'],
  ['haskell hs', 'hs'],
  ['ocaml ml', 'ml mli'],
  ['elixir ex', 'ex exs'],
  ['erlang erl', 'erl'],
  ['clojure clj', 'clj cljs'],
  ['dart', 'dart'],
  ['sql', 'sql'],
  ['html', 'html htm'],
  ['css', 'css'],
  ['scss sass', 'scss sass'],
  ['less', 'less'],
  ['vue', 'vue'],
  ['svelte', 'svelte'],
  ['json', 'json'],
  ['jsonc json5', 'json jsonc json5'],
  ['yaml yml', 'yaml yml'],
  ['toml', 'toml'],
  ['ini cfg conf properties', 'ini cfg conf properties'],
  ['xml', 'xml'],
  ['graphql gql', 'graphql gql'],
  ['protobuf proto', 'proto'],
  ['markdown md', 'md markdown mdx'],
  ['rst', 'rst'],
  ['tex latex', 'tex'],
  ['text txt plaintext plain', 'txt'],
  ['sh bash shell zsh console shell-session', 'sh bash zsh'],
  ['powershell ps1', 'ps1'],
  ['cmake', 'cmake'],
]

const extensionsByName = new Map(
  languages.flatMap(([names, extensions]) => names.split(' ').map((name) => [name, extensions.split(' ')] as const)),
)

/** Extensions of files that no fence language stands for. */
const others =
  'csv tsv svg lock env bat tf hcl nix ipynb cabal gemspec mk in feature ejs hbs pug j2 jinja tmpl prisma sol fs fsx vb pas asm s v sv vhd edn rkt scm lisp el vim fish awk sed log rules service plist mod sum gitignore dockerignore editorconfig'

const extensions = new Set([...languages.flatMap(([, known]) => known.split(' ')), ...others.split(' ')])

/** Whether files commonly have this extension (without dot): tells `app.py` from `os.path`. */
export function isExtension(extension: string): boolean {
  return extensions.has(extension) || extensions.has(extension.toLowerCase())
}

export const shellLanguages: ReadonlySet<string> = new Set(['sh', 'bash', 'shell', 'zsh', 'console', 'shell-session'])

export const jsonLanguages: ReadonlySet<string> = new Set(['json', 'jsonc', 'json5', 'tool_call', 'tool'])

/** Fences that show something and are no file, unless a path says so. */
export const shownLanguages: ReadonlySet<string> = new Set(
  'text txt plaintext plain output log traceback pycon doctest mermaid math http ascii stdout stderr'.split(' '),
)

export const diffLanguages: ReadonlySet<string> = new Set(['diff', 'patch', 'udiff'])

export function isLanguage(word: string): boolean {
  const name = word.toLowerCase()
  return extensionsByName.has(name) || shownLanguages.has(name) || diffLanguages.has(name) || jsonLanguages.has(name)
}

/** The usual word for a path's language; '' when nobody knows. */
export function languageOf(path: string): string {
  const extension = /\.([^./\\]+)$/.exec(path)?.[1] ?? ''
  const known = languages.find(([, extensions]) => extensions.split(' ').includes(extension))
  return known?.[0].split(' ', 1)[0] ?? ''
}

/** Whether a file of that path may be written in that language; undefined when nobody knows. */
export function fits(path: string, language: string): boolean | undefined {
  const name = language.toLowerCase()
  const extension = /\.([^./\\]+)$/.exec(path)?.[1]
  if (extension === undefined) return undefined
  const extensions = extensionsByName.get(name)
  if (extensions === undefined) return extension.toLowerCase() === name ? true : undefined
  return extensions.includes(extension) || extensions.includes(extension.toLowerCase())
}
