/** The list of hosts that commands may reach. A list that cannot be read is an error, never an empty or a full one. */
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { SandboxError } from '../types.ts'
import { isPublicAddress } from './addresses.ts'

export interface HostRule {
  /** Lower case, ASCII, without a final dot. */
  readonly host: string
  /** The rule is for names below the host, not for itself. */
  readonly below: boolean
  readonly ports: readonly number[]
}

const DEFAULT_PORTS = [80, 443]

/** Throws SandboxError('policy-gap') that names the first entry which is not a rule. */
export function parseHostRules(entries: readonly string[]): HostRule[] {
  return entries.map(parseRule)
}

function parseRule(entry: string): HostRule {
  const bad = (why: string): SandboxError =>
    new SandboxError(
      'policy-gap',
      `"${entry}" is not a host that can be allowed: ${why}. Write example.org, *.example.org or example.org:8080.`,
    )
  const parts = /^(\*\.)?(\[[0-9a-fA-F:.]+\]|[^:/@\s*]+)(?::(\d{1,5}))?$/.exec(entry.trim())
  if (parts === null) throw bad('it is neither a name nor *.name')
  const [, wildcard, name = '', portText] = parts
  const below = wildcard !== undefined
  const port = portText === undefined ? undefined : Number(portText)
  if (port !== undefined && (port < 1 || port > 65_535)) throw bad('there is no such port')
  const ports = port === undefined ? DEFAULT_PORTS : [port]
  const host = canonicalHost(name)
  if (host === undefined) throw bad('it is no valid name')
  if (isIP(host) !== 0) {
    if (below) throw bad('an address has nothing below it')
    if (!isPublicAddress(host)) throw bad('it is an address of this machine or of a private network')
  } else if (!host.includes('.')) {
    throw bad(below ? 'everything below one label is too much' : 'it is a name of this machine or network')
  }
  return { host, below, ports }
}

/** One spelling for each host: `ÉXAMPLE.org.` and `[::1]` to what they are resolved as; undefined for what is none. */
export function canonicalHost(name: string): string | undefined {
  const bare = name.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  if (isIP(bare) !== 0) return bare.toLowerCase()
  const ascii = domainToASCII(bare).toLowerCase()
  // A last label of digits is an address in a spelling that resolvers read differently (0x7f.1, 2130706433).
  const valid =
    /^(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*$/.test(ascii) && !/(^|\.)(0x[0-9a-f]*|\d+)$/.test(ascii)
  return valid && ascii.length <= 253 ? ascii : undefined
}

/** Whether a rule of the list allows it. `host` as canonicalHost gives it. */
export function isAllowed(rules: readonly HostRule[], host: string, port: number): boolean {
  return rules.some((rule) => {
    const named = rule.below ? host.endsWith(`.${rule.host}`) : host === rule.host
    return named && rule.ports.includes(port)
  })
}
