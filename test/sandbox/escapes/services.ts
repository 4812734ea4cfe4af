/** Programs of the host that listen: they only note who came. */
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { chmodSync, mkdirSync } from 'node:fs'
import { createServer, type ListenOptions } from 'node:net'
import path from 'node:path'
import type { World } from './attempt.ts'

/** Notes ICMP packets that hold the mark; needs root, as receiving them does anywhere. */
const ECHO = `
import os, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1); s.settimeout(0.5); parent = os.getppid(); print('up', flush=True)
while os.getppid() == parent:
    try:
        if sys.argv[1].encode() in s.recv(2048): print('icmp', flush=True)
    except socket.timeout: pass
`

/** Starts them all. The private namespaces of the world make every port free. */
export async function startServices(
  world: Pick<World, 'ports' | 'sockets' | 'abstract' | 'python' | 'mark'>,
  note: (name: string) => void,
): Promise<void> {
  const stream = (name: string, options: ListenOptions): Promise<void> =>
    new Promise((resolve, reject) => {
      const server = createServer((socket) => {
        note(name)
        socket.on('error', () => undefined)
        socket.end('HTTP/1.0 200 OK\r\n\r\nhello\n')
      })
      server.once('error', reject)
      server.listen(options, resolve)
    })
  const datagrams = (name: string, port: number, address: string): Promise<void> =>
    new Promise((resolve) => {
      const socket = createSocket('udp4')
      socket.on('message', () => note(name))
      socket.bind(port, address, resolve)
    })
  await stream('tcp', { host: '127.0.0.1', port: world.ports.tcp })
  await stream('tcp6', { host: '::1', port: world.ports.tcp })
  await datagrams('udp', world.ports.udp, '127.0.0.1')
  await datagrams('dns', 53, '127.0.0.53')
  for (const [name, file] of Object.entries(world.sockets)) {
    mkdirSync(path.dirname(file), { recursive: true })
    await stream(name, { path: file })
    chmodSync(file, 0o666)
  }
  await stream('abstract', { path: `\0${world.abstract}` })
  const echo = spawn(world.python, ['-c', ECHO, world.mark], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve) => {
    echo.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('icmp')) note('icmp')
      resolve()
    })
  })
}
