/** A GitHub of our own: its API on loopback, and a repository on disk to fetch from and push to. */
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export interface ApiRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly body: Record<string, string>
}

export interface Forge {
  readonly apiUrl: string
  readonly requests: readonly ApiRequest[]
  close(): Promise<void>
}

/** `answers`: `METHOD path` → what is answered; anything else is 404, as GitHub does for what may not be seen. */
export async function startForge(answers: Readonly<Record<string, unknown>>): Promise<Forge> {
  const requests: ApiRequest[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    const { method = '', url = '' } = request
    requests.push({
      method,
      path: url,
      authorization: request.headers.authorization,
      body: text === '' ? {} : JSON.parse(text),
    })
    const answer = answers[`${method} ${url}`]
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? { message: 'Not Found' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** The bare repository `octo/shop` below `home`, with what is committed in `repo` on the branch; gives its path. */
export function bareRemote(home: string, repo: string, branch = 'main'): string {
  const remote = join(home, 'octo', 'shop.git')
  execFileSync('git', ['init', '-q', '--bare', `--initial-branch=${branch}`, remote])
  execFileSync('git', ['push', '-q', remote, `HEAD:refs/heads/${branch}`], { cwd: repo })
  return remote
}

export const gitOf =
  (folder: string) =>
  (...words: string[]): string =>
    execFileSync('git', words, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
