/** The door from the network of the commands to the proxy: a port on their loopback, copied to our unix socket. */
import { spawn } from 'node:child_process'

/** Where commands find it, in their own network. */
export const BRIDGE_PORT = 3128

/** Copies bytes and looks at none. Ends when its standard input does, that is with us. */
const PROGRAM = `
const net = require('node:net')
const [file, port] = process.argv.slice(1)
net.createServer({ allowHalfOpen: true }, (client) => {
  const proxy = net.connect({ path: file, allowHalfOpen: true })
  const end = () => { client.destroy(); proxy.destroy() }
  client.on('error', end); proxy.on('error', end)
  client.pipe(proxy); proxy.pipe(client)
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('up'))
process.stdin.on('end', () => process.exit()).on('error', () => process.exit()).resume()
`

/** @param enter what is put before a program to run it in the network of the commands. */
export async function startBridge(enter: readonly string[], socketFile: string): Promise<{ close(): void }> {
  const [file = '', ...args] = [...enter, process.execPath, '-e', PROGRAM, '--', socketFile, String(BRIDGE_PORT)]
  const bridge = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'], env: {}, cwd: '/', detached: true })
  await new Promise<void>((resolve, reject) => {
    bridge.stdout.once('data', () => resolve())
    bridge.once('error', reject)
    bridge.once('exit', (code) => reject(new Error(`the network bridge ended: ${code}`)))
  })
  bridge.unref()
  for (const stream of [bridge.stdin, bridge.stdout]) (stream as unknown as { unref(): void }).unref()
  return { close: () => void bridge.kill('SIGKILL') }
}
