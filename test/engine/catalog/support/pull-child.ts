/** Downloads in a process of its own, so that a test can kill it: argv is one JSON request, events go to stdout. */
import { download } from '../../../../engine/catalog/download.ts'

const { request, endpoints } = JSON.parse(process.argv[2] ?? '{}')
const result = await download(request, {
  endpoints,
  signal: new AbortController().signal,
  onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
})
process.stdout.write(`${JSON.stringify({ type: 'done', ...result })}\n`)
