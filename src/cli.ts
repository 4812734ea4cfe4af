/** The program's entry: argv in, exit code out. Loads nothing it does not need, so that `--version` is instant. */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { exitAfterFlush } from './exit.ts'
import { help } from './help.ts'
import { resolvePaths } from './paths.ts'
import { version } from './version.ts'

const words = process.argv.slice(2)
const first = words[0]

if (words.length === 1 && (first === '--version' || first === '-V' || first === '-v')) {
  process.stdout.write(`${version}\n`)
} else if (words.length === 1 && (first === '--help' || first === '-h' || first === 'help')) {
  process.stdout.write(help)
} else {
  // Compiled code is kept between runs, in our own folder: one in /tmp could be filled by another user.
  enableCompileCache(join(resolvePaths().cache, 'compiled'))
  if (process.env['CACHALOT_LAUNCHED'] === '1') endWithLauncher()
  process.stdout.on('error', endWithReader)
  const { main } = await import('./main.ts')
  // Ended in words: a child or a socket that is still open must not keep a finished program alive.
  try {
    exitAfterFlush(await main(words))
  } catch (error) {
    // Node would print a line of the minified bundle, which helps nobody.
    process.stderr.write(`cachalot: this is a fault of Cachalot: ${error instanceof Error ? error.stack : error}\n`)
    exitAfterFlush(3)
  }
}

/** A reader that went away (`| head`) ends a command as it would any program; `run` and the protocols end in their own way. */
function endWithReader(error: NodeJS.ErrnoException): void {
  if (process.stdout.listenerCount('error') > 1) return
  if (error.code !== 'EPIPE') throw error
  process.exit(128 + 13)
}

/** The launcher (bin/cachalot.js, under an old Node) is what the caller knows: when it is killed, so are we. */
function endWithLauncher(): void {
  delete process.env['CACHALOT_LAUNCHED']
  process.once('disconnect', () => {
    process.kill(process.pid, 'SIGTERM')
    // Whatever stands in the way of an orderly end: nobody waits for it any more.
    setTimeout(() => process.exit(143), 3000)
  })
  // The listener would keep a finished program alive.
  process.channel?.unref()
}
