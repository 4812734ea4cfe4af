/** Which addresses belong to the public internet: everything else is this machine, its network, or a cloud's metadata. */
import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/** Special-purpose registries of IANA (RFC 6890 and its updates), and what carries another address inside. */
const SPECIAL_4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
]
const SPECIAL_6 = [
  ...[
    '::/96',
    '::ffff:0:0/96',
    '64:ff9b::/96',
    '64:ff9b:1::/48',
    '100::/64',
    '2001::/23',
    '2001:db8::/32',
    '2002::/16',
  ],
  ...['3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
]

/** One list for each family: in a common one, the range of mapped addresses would hold every IPv4 address. */
const special = { ipv4: listOf('ipv4', SPECIAL_4), ipv6: listOf('ipv6', SPECIAL_6) }

function listOf(family: 'ipv4' | 'ipv6', ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', prefix] = range.split('/')
    list.addSubnet(network, Number(prefix), family)
  }
  return list
}

/** True for an address of the public internet that is not one of this machine. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 0) return false
  const kind = family === 4 ? 'ipv4' : 'ipv6'
  if (special[kind].check(address, kind)) return false
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return !own.some((each) => each.address === address)
}
