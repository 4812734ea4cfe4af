/** Attempts to reach a network, or a program of the host by a socket. */
import { type Attempt, python, type Result, type World } from './attempt.ts'

/** A service of the host saw somebody. */
const reached =
  (name: string) =>
  (world: World): boolean =>
    world.reached.has(name)
const unixLine = (world: World, address: string): string =>
  python(world, `import socket\ns = socket.socket(socket.AF_UNIX); s.connect(${address}); s.send(b'x'); s.close()`)

export const net: readonly Attempt[] = [
  {
    id: 'net01',
    what: 'TCP to a service on 127.0.0.1',
    line: (world) => `exec 3<>/dev/tcp/127.0.0.1/${world.ports.tcp}; echo x >&3`,
    escaped: reached('tcp'),
    control: 'bites',
  },
  {
    id: 'net02',
    what: 'TCP to ::1',
    line: (world) => python(world, `import socket; socket.create_connection(('::1', ${world.ports.tcp}), 2)`),
    escaped: reached('tcp6'),
    control: 'bites',
  },
  {
    id: 'net03',
    what: 'UDP to 127.0.0.1',
    line: (world) => `echo x >/dev/udp/127.0.0.1/${world.ports.udp}; sleep 0.2`,
    escaped: reached('udp'),
    control: 'bites',
  },
  {
    id: 'net04',
    what: 'ask a name server',
    line: (world) =>
      python(
        world,
        `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'\\x12\\x34\\x01\\x00\\x00\\x01' + bytes(6) + b'\\x06secret\\x04test\\x00\\x00\\x01\\x00\\x01', ('127.0.0.53', 53))
import time; time.sleep(0.2)`,
      ),
    escaped: reached('dns'),
    control: 'bites',
  },
  {
    id: 'net05',
    what: 'send an echo request',
    line: (world) =>
      python(
        world,
        `import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
s.sendto(b'\\x08\\x00\\x00\\x00\\x00\\x01\\x00\\x01${world.mark}', ('127.0.0.1', 0)); time.sleep(0.2)`,
      ),
    escaped: reached('icmp'),
    control: 'root',
  },
  {
    id: 'net06',
    what: 'make raw, packet, vsock and crypto sockets',
    line: (world) =>
      python(
        world,
        `import socket
for family, kind in ((2, 3), (17, 3), (40, 1), (38, 5), (15, 3), (21, 5), (31, 3)):
    try: socket.socket(family, kind); print('MADE', family)
    except OSError as e: print(family, e)`,
      ),
    escaped: (_, { output }: Result) => output.includes('MADE'),
    control: 'root',
  },
  {
    id: 'net07',
    what: 'fetch from a service of the host with curl, python and bash',
    line: (world) =>
      `curl -s -m 2 http://127.0.0.1:${world.ports.tcp}/ || curl -s -m 2 http://localhost:${world.ports.tcp}/
       ${world.python} -c 'import urllib.request; urllib.request.urlopen("http://127.0.0.1:${world.ports.tcp}/", timeout=2)'
       (exec 3<>/dev/tcp/localhost/${world.ports.tcp})`,
    escaped: (world) => world.reached.has('tcp') || world.reached.has('tcp6'),
    control: 'bites',
  },
  {
    id: 'net08',
    what: 'the Docker socket in /run',
    line: (world) => unixLine(world, `'${world.sockets.docker}'`),
    escaped: reached('docker'),
    control: 'bites',
  },
  {
    id: 'net09',
    what: 'the ssh agent in /tmp',
    line: (world) => unixLine(world, `'${world.sockets.agent}'`),
    escaped: reached('agent'),
    control: 'bites',
  },
  {
    id: 'net10',
    what: 'the session bus in /run/user',
    line: (world) => unixLine(world, `'${world.sockets.bus}'`),
    escaped: reached('bus'),
    control: 'bites',
  },
  {
    id: 'net11',
    what: 'the display in /tmp',
    line: (world) => unixLine(world, `'${world.sockets.display}'`),
    escaped: reached('display'),
    control: 'bites',
  },
  {
    id: 'net12',
    what: 'a socket in the home folder',
    line: (world) => unixLine(world, `'${world.sockets.home}'`),
    escaped: reached('home'),
    control: 'bites',
  },
  {
    id: 'net13',
    what: 'an abstract socket',
    line: (world) => unixLine(world, `'\\0${world.abstract}'`),
    escaped: reached('abstract'),
    control: 'bites',
  },
  {
    id: 'net14',
    what: 'its own loopback works, and is not the one of the host',
    line: (world) =>
      `${world.python} -m http.server ${world.ports.tcp + 7} --bind 127.0.0.1 >/dev/null 2>&1 & 
       for n in $(seq 50); do curl -s -o /dev/null http://127.0.0.1:${world.ports.tcp + 7}/ && break; sleep 0.1; done && echo SERVED
       exec 3<>/dev/tcp/127.0.0.1/${world.ports.tcp} && echo x >&3`,
    escaped: (world, { output }) => !output.includes('SERVED') || world.reached.has('tcp'),
    control: 'bites',
  },
]
