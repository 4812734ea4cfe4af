/** The list of hosts and the proxy, by itself; with real sockets, and names that a test resolves. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPublicAddress } from '../../sandbox/proxy/addresses.ts'
import { canonicalHost, isAllowed, parseHostRules } from '../../sandbox/proxy/rules.ts'
import { type HostProxy, startProxy } from '../../sandbox/proxy/server.ts'
import type { Connection } from '../../sandbox/types.ts'

describe('the list of hosts', () => {
  test.each([
    ['example.org', 'example.org', 443, true],
    ['example.org', 'example.org', 80, true],
    ['example.org', 'example.org', 8080, false],
    ['example.org:8080', 'example.org', 8080, true],
    ['example.org:8080', 'example.org', 443, false],
    ['example.org', 'www.example.org', 443, false],
    ['example.org', 'notexample.org', 443, false],
    ['example.org', 'example.org.evil.com', 443, false],
    ['*.example.org', 'www.example.org', 443, true],
    ['*.example.org', 'a.b.example.org', 443, true],
    ['*.example.org', 'example.org', 443, false],
    ['*.example.org', 'evilexample.org', 443, false],
    ['EXAMPLE.org', 'Example.ORG.', 443, true],
    ['bücher.example', 'xn--bcher-kva.example', 443, true],
    ['8.8.8.8', '8.8.8.8', 443, true],
  ])('%s and %s:%i: %s', (rule, host, port, allowed) => {
    expect(isAllowed(parseHostRules([rule]), canonicalHost(host) ?? '', port)).toBe(allowed)
  })

  test('nothing is allowed by an empty list', () => expect(isAllowed([], 'example.org', 443)).toBe(false))

  test.each([
    ...['', '*', '*.', '*.org', 'localhost', 'http://example.org', 'example.org/path', 'a b.org', 'user@example.org'],
    ...['example.org:0', 'example.org:99999', 'example.org:x', '127.0.0.1', '10.0.0.1', '[::1]', '169.254.169.254'],
    ...['*.8.8.8.8', 'exa*mple.org', '-x.org', '0x7f.1', '2130706433', 'a..b', '192.168.1.1:80', '*.*.org'],
  ])('"%s" is an error that names it', (entry) => {
    expect(() => parseHostRules(['example.org', entry])).toThrow(`"${entry}" is not a host that can be allowed`)
  })

  test.each(['0x7f000001', '2130706433', '127.1', '0177.0.0.1', 'a.0x1', 'x\0.org', `${'a'.repeat(64)}.org`])(
    '%s is no spelling of a host',
    (name) => {
      const host = canonicalHost(name)
      expect(host === undefined || !isPublicAddress(host)).toBe(true)
      expect(host === undefined || !isAllowed(parseHostRules(['*.example.org']), host, 443)).toBe(true)
    },
  )
})

test.each([
  ...[
    '127.0.0.1',
    '127.9.9.9',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '0.0.0.0',
  ],
  ...[
    '100.100.100.200',
    '192.0.0.192',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00:ec2::254',
  ],
  ...['::ffff:127.0.0.1', '::ffff:8.8.8.8', '64:ff9b::7f00:1', '2002:7f00:1::', 'ff02::1', '::7f00:1', 'nonsense', ''],
])('%s is not on the public internet', (address) => expect(isPublicAddress(address)).toBe(false))

test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.63.0.1', '2606:4700:4700::1111'])('%s is', (address) => {
  expect(isPublicAddress(address)).toBe(true)
})

describe('the proxy', () => {
  const base = realpathSync(mkdtempSync(path.join(tmpdir(), 'proxy-')))
  const file = path.join(base, 'proxy')
  const origin = createServer((incoming, response) => {
    response.end(
      `${incoming.method} ${incoming.headers.host} ${incoming.url} ${incoming.headers['proxy-authorization'] ?? '-'}`,
    )
  })
  let port = 0
  let proxy: HostProxy
  let seen: Connection[] = []
  let resolved: string[] = []
  /** Stands for the public internet: one address of the loopback that the test calls reachable. */
  const PUBLIC = '127.0.0.1'

  beforeAll(async () => {
    await new Promise<void>((resolve) => origin.listen(0, PUBLIC, resolve))
    port = (origin.address() as AddressInfo).port
    const answers: Record<string, string[]> = {
      'good.example.org': [PUBLIC],
      'rebind.example.org': ['127.0.0.9'],
      'mixed.example.org': ['10.0.0.1', PUBLIC],
    }
    proxy = await startProxy(
      file,
      async (host) => {
        resolved.push(host)
        const found = answers[host]
        if (found === undefined) throw new Error('ENOTFOUND')
        return found
      },
      (address) => address === PUBLIC,
    )
    const rules = parseHostRules([`*.example.org:${port}`])
    proxy.admit('secret', { rules, onConnection: (connection) => void seen.push(connection) })
  })
  afterAll(() => {
    proxy.close()
    origin.close()
    rmSync(base, { recursive: true })
  })

  const basic = (secret: string): string => `Basic ${Buffer.from(`sandbox:${secret}`).toString('base64')}`
  const get = (url: string, secret = 'secret'): Promise<[number, string]> => {
    seen = []
    resolved = []
    return new Promise((resolve, reject) => {
      const headers = { host: 'evil.com', 'proxy-authorization': basic(secret), 'proxy-connection': 'x' }
      const asked = request({ socketPath: file, path: url, headers }, (response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString()
        })
        response.on('end', () => resolve([response.statusCode ?? 0, body]))
      })
      asked.on('error', reject)
      asked.end()
    })
  }
  const tunnel = (target: string, then = ''): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(file, () => {
        socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: ${basic('secret')}\r\n\r\n${then}`)
      })
      let said = ''
      socket.on('data', (chunk) => {
        said += chunk.toString()
      })
      socket.on('close', () => resolve(said))
      socket.on('error', reject)
    })

  test('passes what is allowed on, with the host of the address and without the secret', async () => {
    expect(await get(`http://good.example.org:${port}/a?b`)).toEqual([200, `GET good.example.org:${port} /a?b -`])
    expect(seen).toEqual([{ host: 'good.example.org', port, allowed: true }])
    expect(resolved).toEqual(['good.example.org'])
  })

  test('tunnels what is allowed', async () => {
    const said = await tunnel(`good.example.org:${port}`, 'GET /x HTTP/1.0\r\nHost: inside\r\n\r\n')
    expect(said).toMatch(/^HTTP\/1.1 200 Connection Established\r\n\r\nHTTP\/1.1 200 OK/)
    expect(said).toMatch(/GET inside \/x/)
  })

  test('refuses what is not, before it is resolved', async () => {
    expect(await get(`http://evil.com:${port}/`)).toEqual([403, `sandbox: evil.com:${port} is not an allowed host\n`])
    expect(await get('http://good.example.org:1/')).toEqual([
      403,
      'sandbox: good.example.org:1 is not an allowed host\n',
    ])
    expect(await tunnel('evil.com:443')).toMatch(/^HTTP\/1.1 403 Forbidden/)
    expect(resolved).toEqual([])
    expect(seen).toContainEqual({ host: 'evil.com', port: 443, allowed: false })
  })

  test('refuses a name that leads to a private address, and dials only what it checked', async () => {
    expect(await get(`http://rebind.example.org:${port}/`)).toEqual([
      403,
      'sandbox: rebind.example.org leads to a private address\n',
    ])
    expect(await tunnel(`rebind.example.org:${port}`)).toMatch(/403 Forbidden/)
    expect((await get(`http://mixed.example.org:${port}/`))[0]).toBe(200)
    expect(resolved).toEqual(['mixed.example.org'])
  })

  test('refuses who has no secret, or one that was taken back', async () => {
    expect((await get(`http://good.example.org:${port}/`, 'guess'))[0]).toBe(407)
    proxy.admit('short', { rules: [], onConnection: () => undefined }).revoke()
    expect((await get(`http://good.example.org:${port}/`, 'short'))[0]).toBe(407)
  })

  test('tells apart what it cannot do', async () => {
    expect((await get(`http://nowhere.example.org:${port}/`))[1]).toMatch(/cannot be resolved/)
    expect((await get('/relative'))[0]).toBe(400)
    expect((await get(`https://good.example.org:${port}/`))[0]).toBe(400)
    expect((await get('ftp://good.example.org/'))[0]).toBe(400)
    expect(await tunnel('good.example.org')).toMatch(/400 Bad Request/)
  })
})
