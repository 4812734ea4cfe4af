#!/usr/bin/env node
// The launcher. Written in old JavaScript on purpose: a Node that is too old must still be able to read it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'

const major = Number(process.versions.node.split('.')[0])

if (major >= 22) {
  await import('../dist/cli.js')
} else {
  const bundled = bundledNode()
  if (bundled === undefined) {
    process.stderr.write(
      `cachalot needs Node 22 or newer; this is ${process.versions.node}. Run: npm install -g node@24\n`,
    )
    process.exit(2)
  }
  // A terminal signals the whole group, so the program may get SIGINT twice; it takes two at once for one.
  // The channel is how the program notices that we are gone, also when we are killed: it ends then, too.
  const child = spawn(bundled, process.argv.slice(1), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: Object.assign({}, process.env, { CACHALOT_LAUNCHED: '1' }),
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => (signal ? process.kill(process.pid, 'SIGKILL') : process.exit(code ?? 1)))
}

/** The Node that npm installed beside us (optional dependency `node`), or undefined. */
function bundledNode() {
  try {
    const path = createRequire(import.meta.url).resolve('node/bin/node')
    return existsSync(path) ? path : undefined
  } catch {
    return undefined // the package is not installed
  }
}
