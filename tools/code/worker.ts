/** The thread that parses: off the thread of the interface, so that a slow file is not felt. */
import { setFlagsFromString } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { answerer } from './parse.ts'
import type { CodeRequest } from './requests.ts'

// The optimising compiler takes up to a hundred megabytes for each grammar (750 MB for a repository of eight languages), and
// no less time than it saves. Before any grammar is compiled; both are needed, or V8 goes on with the other.
for (const flag of ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag)

const { folder } = workerData as { readonly folder: string | undefined }
const answer = answerer(folder)

parentPort?.on('message', ({ id, request }: { readonly id: number; readonly request: CodeRequest }) => {
  answer(request).then(
    (value) => parentPort?.postMessage({ id, value }),
    (error: unknown) => parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) }),
  )
})
