/** The thread that parses: off the thread of the interface, so that a slow file is not felt. */
import { parentPort, workerData } from 'node:worker_threads'
import { answerer } from './parse.ts'
import type { CodeRequest } from './requests.ts'

const { folder } = workerData as { readonly folder: string | undefined }
const answer = answerer(folder)

parentPort?.on('message', ({ id, request }: { readonly id: number; readonly request: CodeRequest }) => {
  answer(request).then(
    (value) => parentPort?.postMessage({ id, value }),
    (error: unknown) => parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) }),
  )
})
