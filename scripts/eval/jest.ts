/** jest, for the JavaScript tasks: no dependency of ours, so it is installed once into the cache folder. */
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

/** The folder that holds `node_modules/.bin/jest` with Babel's preset for ES modules; installs it when it is not there. */
export async function findJest(): Promise<string> {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'cachalot', 'eval-jest')
  if (!existsSync(join(folder, 'node_modules/.bin/jest'))) {
    mkdirSync(folder, { recursive: true })
    await execa(
      'npm',
      [
        'install',
        '--prefix',
        folder,
        '--no-audit',
        '--no-fund',
        'jest@30',
        '@jest/globals@30',
        '@babel/preset-env@7',
        '@babel/core@7',
      ],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    )
  }
  return folder
}
