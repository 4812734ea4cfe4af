/** Saves states of known content into a folder without end, until it is killed. argv: folder. */
import { join } from 'node:path'
import { writeState } from '../../../../engine/kv/envelope.ts'
import { prefixNames } from '../../../../engine/kv/names.ts'

const folder = process.argv[2] ?? ''
process.stdout.write('ready\n')
for (let round = 0; ; round++) {
  const tokens = Array.from({ length: 64 + (round % 8) }, (_, i) => i + (round % 8))
  const [name = ''] = prefixNames(tokens, [tokens.length])
  const parts = [1_000_000, 1_000_000, 1_000_000 + (round % 8)].map((bytes) => Buffer.alloc(bytes, tokens[0]))
  await writeState(join(folder, name), { key: 'k', tokens: Int32Array.from(tokens), parts })
}
