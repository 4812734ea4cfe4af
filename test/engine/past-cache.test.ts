import { existsSync, readFileSync } from 'node:fs'
import koffi from 'koffi'
import { describe, expect, test } from 'vitest'
import { pastCache } from '../../engine/host/past-cache.ts'

const mebibyte = 1024 * 1024

/** The flags of the mapping that an address of this process lies in. */
function flagsAt(address: bigint): string {
  for (const mapping of readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const [from = '0', to = '0'] = mapping.split(' ', 1)[0]?.split('-') ?? []
    if (BigInt(`0x${from}`) <= address && address < BigInt(`0x${to}`)) return /^VmFlags:(.*)$/m.exec(mapping)?.[1] ?? ''
  }
  return ''
}

describe('memory for reads past the page cache', () => {
  test.each([1, 4096, 2 * mebibyte, 5 * mebibyte + 4096])('of %i bytes lies at a block and is all ours', (bytes) => {
    const buffer = pastCache()?.allocate(bytes)
    expect(buffer?.length).toBe(bytes)
    expect(BigInt(koffi.address(buffer)) % 4096n).toBe(0n)
    expect(buffer?.fill(7).every((byte) => byte === 7)).toBe(true)
  })

  test('is asked for in huge pages where there are such', () => {
    const buffer = pastCache()?.allocate(5 * mebibyte)
    const known = existsSync('/sys/kernel/mm/transparent_hugepage')
    for (const at of [0n, BigInt(5 * mebibyte - 1)])
      expect(flagsAt(BigInt(koffi.address(buffer)) + at).includes(' hg')).toBe(known)
  })
})
