/** A `python3` that does what `python3 -m pip download` does, from a folder of wheels that the test made. */
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'

/** Writes the program and gives the folder to put first on PATH. Its wheels are looked for in `<folder>/index`. */
export async function makeFakePip(folder: string): Promise<string> {
  const bin = join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  await mkdir(join(folder, 'index'), { recursive: true })
  const program = join(bin, 'python3')
  await writeFile(
    program,
    `#!/bin/sh
# python3 -m pip download … -d FOLDER NAME==VERSION
echo "$*" >> '${folder}/calls'
[ -e pip.py ] && touch '${folder}/ran-planted-code'
[ -e '${folder}/hang' ] && sleep 600
while [ $# -gt 1 ]; do [ "$1" = -d ] && to=$2; shift; done
name=$(echo "\${1%%==*}" | tr - _)
wheel='${folder}/index/'$name-\${1##*==}-py3-none-any.whl
if [ ! -e "$wheel" ]; then
  echo "ERROR: Could not find a version that satisfies the requirement $1" >&2
  echo "ERROR: No matching distribution found for $1" >&2
  exit 1
fi
cp "$wheel" "$to"
`,
  )
  await chmod(program, 0o755)
  return bin
}

/** A zip archive, written by hand so that a test can also write a wrong one. */
export function makeWheel(files: Readonly<Record<string, Buffer>>, method: 'stored' | 'deflated' = 'deflated'): Buffer {
  const locals: Buffer[] = []
  const centrals: Buffer[] = []
  let offset = 0
  for (const [path, content] of Object.entries(files)) {
    const name = Buffer.from(path)
    const data = method === 'deflated' ? deflateRawSync(content) : content
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(method === 'deflated' ? 8 : 0, 4)
    common.writeUInt32LE(crc32(content), 10)
    common.writeUInt32LE(data.length, 14)
    common.writeUInt32LE(content.length, 18)
    common.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, data])
    const central = Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, Buffer.alloc(14), name])
    central.writeUInt32LE(offset, 42)
    locals.push(local)
    centrals.push(central)
    offset += local.length
  }
  const directory = Buffer.concat(centrals)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(centrals.length, 8)
  end.writeUInt16LE(centrals.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}
