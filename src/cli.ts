/** The program's entry: argv in, exit code out. Loads nothing it does not need, so that `--version` is instant. */
import { enableCompileCache } from 'node:module'
import { exitAfterFlush } from './exit.ts'
import { help } from './help.ts'
import { version } from './version.ts'

const words = process.argv.slice(2)
const first = words[0]

if (words.length === 1 && (first === '--version' || first === '-V' || first === '-v')) {
  process.stdout.write(`${version}\n`)
} else if (words.length === 1 && (first === '--help' || first === '-h' || first === 'help')) {
  process.stdout.write(help)
} else {
  // Compiled code is kept between runs where Node can (it chooses a folder in the temporary directory).
  enableCompileCache()
  const { main } = await import('./main.ts')
  // Ended in words: a child or a socket that is still open must not keep a finished program alive.
  exitAfterFlush(await main(words))
}
