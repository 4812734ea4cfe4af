/** Runs a classic BPF program as the kernel would (Documentation/networking/filter.rst), for the verdict on one system call. */
import { architectures } from '../../../sandbox/linux/syscalls.ts'

export interface Call {
  readonly arch: string
  /** Name from our table, or a number. */
  readonly call: string | number
  readonly args?: readonly number[]
  /** AUDIT_ARCH_* to claim instead of the architecture's own. */
  readonly audit?: number
}

/** Lays out struct seccomp_data of linux/seccomp.h. */
function data({ arch, call, args = [], audit }: Call): Buffer {
  const table = architectures[arch]!
  const bytes = Buffer.alloc(64)
  const number = typeof call === 'number' ? call : table.numbers[call]
  if (number === undefined) throw new Error(`${arch} has no call ${call}`)
  bytes.writeUInt32LE(number, 0)
  bytes.writeUInt32LE(audit ?? table.audit, 4)
  for (const [index, value] of args.entries()) bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 16 + 8 * index)
  return bytes
}

/** The verdict. Throws for anything the kernel's checker would refuse: unknown code, load or jump out of bounds. */
export function evaluate(program: Buffer, call: Call): number {
  const input = data(call)
  const length = program.length / 8
  let accumulator = 0
  for (let at = 0; at < length; at++) {
    const code = program.readUInt16LE(at * 8)
    const ifTrue = program.readUInt8(at * 8 + 2)
    const ifFalse = program.readUInt8(at * 8 + 3)
    const value = program.readUInt32LE(at * 8 + 4)
    const jump = (taken: boolean): void => {
      at += taken ? ifTrue : ifFalse
      if (at + 1 >= length) throw new Error(`jump out of the program at ${at}`)
    }
    switch (code) {
      case 0x20:
        if (value % 4 !== 0 || value > 60) throw new Error(`load at ${value}`)
        accumulator = input.readUInt32LE(value)
        break
      case 0x15:
        jump(accumulator === value)
        break
      case 0x35:
        jump(accumulator >= value)
        break
      case 0x45:
        jump((accumulator & value) !== 0)
        break
      case 0x06:
        return value
      default:
        throw new Error(`instruction ${code.toString(16)}`)
    }
  }
  throw new Error('the program has no end')
}
