/** What the interface's libraries do at its start and need not: done without in the bundle. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'

const cells = join(import.meta.dirname, '..', 'src', 'tui', 'text', 'cells.ts')
/** Yoga holds its WebAssembly in itself, yet asks `fetch` for it, for which Node loads its whole HTTP client. */
const asksFetch = 'w||"function"!=typeof fetch?'

export const lighter: Plugin = {
  name: 'lighter',
  setup(build) {
    build.onResolve({ filter: /^string-width$/ }, ({ importer }) => (importer === cells ? undefined : { path: cells }))
    build.onLoad({ filter: /yoga-wasm-base64-esm\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      if (source.split(asksFetch).length !== 2)
        throw new Error(`${path} is another than was known: look at scripts/lighter.ts`)
      return { contents: source.replace(asksFetch, 'true?'), loader: 'js' }
    })
  },
}
