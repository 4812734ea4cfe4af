/** The few words that we speak with GitHub's REST API (https://docs.github.com/rest). */
import * as z from 'zod'
import { pullSchema } from './event.ts'

/** GitHub would not do it, or could not be reached. `message` names the request, never the token. */
export class GitHubError extends Error {
  override readonly name = 'GitHubError'
  readonly status: number | undefined
  constructor(message: string, status?: number) {
    super(message)
    this.status = status
  }
}

export interface GitHub {
  /** `admin`, `write`, `read` or `none` (`maintain` is told as `write`, `triage` as `read`). */
  permission(login: string): Promise<string>
  pull(number: number): Promise<z.infer<typeof pullSchema>>
  /** Gives the address of the pull request. */
  openPull(request: {
    title: string
    body: string
    head: string
    base: string
  }): Promise<{ number: number; url: string }>
  comment(number: number, body: string): Promise<void>
}

export interface GitHubOptions {
  /** `https://api.github.com`, or that of an own server. */
  readonly apiUrl: string
  /** `owner/name`. */
  readonly repository: string
  readonly token: string
}

const seconds = 30
/** Faults of the server are tried again; what it refuses is not. */
const waits = [500, 2000]

export function openGitHub({ apiUrl, repository, token }: GitHubOptions): GitHub {
  async function ask(method: string, path: string, body?: object): Promise<unknown> {
    const what = `${method} ${path}`
    for (let tries = 0; ; tries++) {
      let response: Response
      try {
        response = await fetch(`${apiUrl}/repos/${repository}${path}`, {
          method,
          headers: {
            accept: 'application/vnd.github+json',
            'x-github-api-version': '2022-11-28',
            'user-agent': 'cachalot',
            ...(token !== '' && { authorization: `Bearer ${token}` }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          redirect: 'error',
          signal: AbortSignal.timeout(seconds * 1000),
        })
      } catch (error) {
        const wait = waits[tries]
        // Only what changes nothing may be asked twice without knowing whether it was heard.
        if (wait === undefined || method !== 'GET') throw new GitHubError(`${what}: ${said(error)}`)
        await new Promise((resolve) => setTimeout(resolve, wait))
        continue
      }
      if (response.ok) return await response.json()
      const wait = waits[tries]
      if (response.status >= 500 && wait !== undefined && method === 'GET') {
        await new Promise((resolve) => setTimeout(resolve, wait))
        continue
      }
      const text = (await response.text()).slice(0, 300)
      throw new GitHubError(`${what}: GitHub answered ${response.status}: ${text}`, response.status)
    }
  }

  return {
    async permission(login) {
      const answer = await ask('GET', `/collaborators/${encodeURIComponent(login)}/permission`).catch((error) => {
        // Who is no collaborator has none.
        if (error instanceof GitHubError && error.status === 404) return { permission: 'none' }
        throw error
      })
      return z.object({ permission: z.string() }).parse(answer).permission
    },
    async pull(number) {
      return pullSchema.parse(await ask('GET', `/pulls/${number}`))
    },
    async openPull({ title, body, head, base }) {
      const made = await ask('POST', '/pulls', { title, body, head, base, maintainer_can_modify: true })
      const { number, html_url: url } = z.object({ number: z.number(), html_url: z.string() }).parse(made)
      return { number, url }
    },
    async comment(number, body) {
      await ask('POST', `/issues/${number}/comments`, { body })
    },
  }
}

const said = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
