/** Where llama.cpp's prebuilt libraries lie. Apart from their loading, so that looking loads no native code. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { EngineError } from '../engine.ts'

/** Version of the platform packages; equals llama.cpp v0.4.0. */
export const packageVersion = '3.21.1'

/** The platform packages that have libraries for plain use (the GPU variants come as a folder, by CACHALOT_LLAMA_LIBS; see catalog/libraries.ts). */
const packages: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
}

/** The folder of the libraries. Throws EngineError `library-missing` naming the fix. */
export function findLibraryFolder(): string {
  const override = process.env['CACHALOT_LLAMA_LIBS']
  if (override) return override
  const name = packages[`${process.platform}-${process.arch}`]
  if (!name)
    throw new EngineError(
      'library-missing',
      `there is no engine library for ${process.platform}-${process.arch}. Use a model on a server: cachalot run --base-url …`,
    )
  try {
    const main = createRequire(import.meta.url).resolve(`@node-llama-cpp/${name}`)
    return join(dirname(dirname(main)), 'bins', name)
  } catch (cause) {
    throw new EngineError(
      'library-missing',
      `the engine library for this machine is not installed (optional dependencies were left out?). ` +
        `Run: npm install @node-llama-cpp/${name}@${packageVersion}`,
      { cause },
    )
  }
}
