/** Finds and loads llama.cpp's prebuilt libraries, and refuses any but the version our layouts are for. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import koffi from 'koffi'
import { EngineError } from '../engine.ts'
import { bindFunctions, type Functions } from './functions.ts'
import { layoutDifferences, type Pointer, threadpoolFree, threadpoolNew } from './layout.ts'

const stackBytes = 8 * 1024 * 1024

export interface Library {
  readonly call: Functions
  readonly version: string
  /** Whether a device other than the CPU is there: its results must be waited for. */
  readonly hasGpu: boolean
  newThreadpool(threads: number): Pointer
  freeThreadpool(pool: Pointer): void
  /** libc's strlen: serves as the abort callback, so that no JavaScript runs inside a batch. */
  readonly strlen: Pointer
}

let loaded: Library | undefined

/** Loads the libraries of a folder, once in this process. */
export function loadLibrary(folder: string): Library {
  loaded ??= load(folder)
  return loaded
}

function load(folder: string): Library {
  // Before the first load: tokenisers recurse deeply on long runs of one kind of character.
  koffi.config({ async_stack_size: stackBytes, sync_stack_size: stackBytes })
  const names = list(folder)
  const open = (pattern: RegExp) => {
    const name = names.find((n) => pattern.test(n))
    if (!name) throw new EngineError('library-missing', `no file like ${pattern.source} in ${folder}`)
    try {
      return koffi.load(join(folder, name))
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      const hint =
        process.platform === 'win32'
          ? ' It needs the Microsoft Visual C++ 2015-2022 redistributable.'
          : process.platform === 'linux'
            ? ' It needs glibc 2.34 or newer (Debian 12, Ubuntu 22.04, Fedora 35).'
            : ' It needs macOS 14 or newer.'
      throw new EngineError('library-missing', `the engine library ${name} does not load: ${why}.${hint}`, { cause })
    }
  }
  // In this order and by absolute path: a library of the same name elsewhere must not come first.
  const base = open(/^(lib)?ggml-base\.(so|dylib|dll)$/)
  const ggml = open(/^(lib)?ggml(\.\w+)?\.v[\d.]+\.(so|dylib|dll)$/)
  const llama = open(/^(lib)?llama(\.\w+)?\.v[\d.]+\.(so|dylib|dll)$/)
  const call = bind(() => bindFunctions(base, ggml, llama), folder)

  const probe = 3
  const differences = layoutDifferences(
    call.modelDefaults(),
    call.contextDefaults(),
    call.threadpoolDefaults(probe),
    probe,
  )
  if (differences.length > 0)
    throw new EngineError(
      'library-layout',
      `the engine library in ${folder} is not the version this program was made for (llama.cpp v0.4.0): ` +
        `${differences.slice(0, 3).join('; ')}. Run: npm ci`,
    )
  call.loadBackends(folder)
  const cpu = call.deviceByType(0)
  if (cpu === null) throw new EngineError('library-missing', `no CPU backend for this processor in ${folder}`)
  const registry = call.deviceRegistry(cpu)
  const symbol = (name: string) => {
    const found = call.registrySymbol(registry, name)
    if (found === null) throw new EngineError('library-layout', `the engine library lacks ${name}`)
    return found
  }
  const create = symbol('ggml_threadpool_new')
  const free = symbol('ggml_threadpool_free')
  return {
    call,
    version: call.version(),
    hasGpu: Array.from({ length: Number(call.deviceCount()) }, (_, i) => call.deviceType(call.device(i))).some(
      (type) => type !== 0,
    ),
    newThreadpool: (threads) => koffi.call(create, threadpoolNew, call.threadpoolDefaults(threads)) as Pointer,
    freeThreadpool: (pool) => {
      koffi.call(free, threadpoolFree, pool)
    },
    strlen: koffi.load(libc()).symbol('strlen') as Pointer,
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    throw new EngineError(
      'library-missing',
      `the folder of the engine library cannot be read: ${folder}. Where CACHALOT_LLAMA_LIBS is set it must name the folder of llama.cpp’s libraries; else install again: npm ci`,
      { cause },
    )
  }
}

/** A function that the library lacks is a library of another version. */
function bind<T>(make: () => T, folder: string): T {
  try {
    return make()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError(
      'library-layout',
      `the engine library in ${folder} is not the version this program was made for: ${why}. Run: npm ci`,
      { cause },
    )
  }
}

export const libc = () =>
  process.platform === 'linux'
    ? 'libc.so.6'
    : process.platform === 'darwin'
      ? '/usr/lib/libSystem.B.dylib'
      : 'ucrtbase.dll'
