/** The network of each command: none of its own, the one of the session, or the one of the session with a way out. */
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { BRIDGE_PORT, startBridge } from '../proxy/bridge.ts'
import { parseHostRules } from '../proxy/rules.ts'
import type { HostProxy } from '../proxy/server.ts'
import type { SessionFolder } from '../session-folder.ts'
import { type Connection, type Policy, SandboxError } from '../types.ts'
import { openSessionNetwork, type SessionNetwork } from './session-network.ts'

export interface CommandNetwork {
  /** Put before bwrap; empty: bwrap makes a network of its own, or keeps the host's, as the policy says. */
  readonly enter: readonly string[]
  /** Variables by which programs find the proxy. */
  readonly variables: Readonly<Record<string, string>>
  /** What was asked of the proxy so far, each host and port once. */
  connections(): readonly Connection[]
  /** The command has ended: its way out is shut. */
  close(): void
}

/** So many are told of one command. */
const MOST_CONNECTIONS = 100

const NO_NETWORK: CommandNetwork = { enter: [], variables: {}, connections: () => [], close: () => undefined }

export interface NetworkSettings {
  readonly bwrap: string
  readonly pathVariable: string
  /** Folders in which no program is looked for. */
  readonly roots: readonly string[]
  /** Private folder of the session; the proxy's socket lies in it. */
  readonly folder: SessionFolder
}

/** Opens namespace, proxy and bridge when the first command needs them. A class because they live as long as the session. */
export class CommandNetworks {
  readonly #settings: NetworkSettings
  #session: Promise<SessionNetwork> | undefined
  #proxy: Promise<HostProxy> | undefined

  constructor(settings: NetworkSettings) {
    this.#settings = settings
  }

  /**
   * @param background the command is to be reached by later ones. Rejects with SandboxError, also for a list of hosts
   * that cannot be read: that is never taken for an empty or a full one.
   */
  async of(policy: Policy, background: boolean): Promise<CommandNetwork> {
    const rules = parseHostRules(policy.allowHosts ?? [])
    if (policy.network === 'full') return NO_NETWORK
    if (rules.length === 0 && !background && this.#session === undefined) return NO_NETWORK
    const { enter } = await this.#open()
    if (rules.length === 0) return { ...NO_NETWORK, enter }

    const proxy = await this.#openProxy(enter)
    const secret = randomBytes(18).toString('base64url')
    const asked = new Map<string, Connection>()
    const onConnection = (connection: Connection): void => {
      const { host, port, allowed } = connection
      // Bounded: a command may ask for as many names as it likes.
      if (asked.size < MOST_CONNECTIONS) asked.set(`${host}:${port} ${allowed}`, connection)
    }
    const pass = proxy.admit(secret, { rules, onConnection })
    const address = `http://sandbox:${secret}@127.0.0.1:${BRIDGE_PORT}`
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']
    const local = 'localhost,127.0.0.1,::1'
    const variables = {
      ...Object.fromEntries(names.map((name) => [name, address])),
      ...{ NO_PROXY: local, no_proxy: local, NODE_USE_ENV_PROXY: '1' },
    }
    return { enter, variables, connections: () => [...asked.values()], close: () => pass.revoke() }
  }

  #open(): Promise<SessionNetwork> {
    const { bwrap, pathVariable, roots, folder } = this.#settings
    this.#session ??= openSessionNetwork(bwrap, pathVariable, roots, folder.openFile).catch((error: unknown) => {
      // The next command tries again.
      this.#session = undefined
      throw error
    })
    return this.#session
  }

  #openProxy(enter: readonly string[]): Promise<HostProxy> {
    const file = path.join(this.#settings.folder.path, 'proxy')
    this.#proxy ??= this.#startProxy(enter, file).catch((error: unknown) => {
      // The next command tries again.
      this.#proxy = undefined
      throw error
    })
    return this.#proxy
  }

  async #startProxy(enter: readonly string[], file: string): Promise<HostProxy> {
    // Loaded when it is needed: an HTTP server is much to load for the many sessions without one.
    const { startProxy } = await import('../proxy/server.ts')
    const proxy = await startProxy(file)
    try {
      await startBridge(enter, file)
    } catch (error) {
      proxy.close()
      throw new SandboxError('self-test', `No network for commands: ${error instanceof Error ? error.message : error}`)
    }
    return proxy
  }
}
