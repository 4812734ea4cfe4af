/**
 * The program that runs examples in JavaScript, and in TypeScript that Node itself can strip: python-runner.ts's `Job` on
 * stdin, the same last line of output. What cannot be taken for an example is left out here, too.
 */
export const javascriptRunner = String.raw`
const { readFileSync, writeSync } = require('node:fs')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { inspect, isDeepStrictEqual } = require('node:util')
const vm = require('node:vm')

const job = JSON.parse(readFileSync(0, 'utf8'))
const timeout = job.seconds * 1000
const file = join(job.root, job.path)
const exit = process.exit.bind(process)
for (const stream of [process.stdout, process.stderr]) stream.write = () => true

function tell(broken, passed, failed) {
  writeSync(1, '\n' + job.mark + JSON.stringify({ broken, passed, failed }) + '\n')
  exit(0)
}

/** Exports by name; of a script without any, what it declares. */
async function load() {
  const text = readFileSync(file, 'utf8')
  const found = {}
  if (/^\s*(?:import|export)\b/m.test(text) || /\b(?:module\.)?exports\b|\brequire\s*\(/.test(text)) {
    const loaded = await import(pathToFileURL(file).href)
    const whole = loaded.default
    if (whole !== null && typeof whole === 'object') Object.assign(found, whole)
    Object.assign(found, loaded)
    if (typeof whole === 'function') found[whole.name || job.subject] = whole
    delete found.default
  } else {
    vm.runInThisContext(text, { filename: file, timeout })
  }
  for (const [name, value] of Object.entries(found)) if (!['process', 'globalThis'].includes(name)) globalThis[name] = value
}

const nothing = Symbol('no value')
const known = new Set(['true', 'false', 'null', 'undefined', 'NaN', 'Infinity'])

/** The value of a literal; nothing for anything that would be looked up or called. */
function literal(text) {
  const plain = { True: 'true', False: 'false', None: 'null' }[text.trim()] ?? text.trim()
  if (plain === '' || /\x60|=>|[=;]/.test(plain.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, ''))) return nothing
  const bare = plain.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, '""')
  for (const [, word, colon] of bare.matchAll(/([A-Za-z_$][\w$]*)(\s*:)?/g)) {
    if (!known.has(word) && colon === undefined) return nothing
  }
  if (/[\w$)\]"]\s*\(/.test(bare)) return nothing
  try {
    return vm.runInThisContext('(' + plain + '\n)', { timeout: 1000 })
  } catch {
    return nothing
  }
}

function value(text) {
  const trimmed = text.trim().replace(/^\x60|\x60$/g, '')
  const ends = [/\s+\/\//, /\s{2,}/, /\s+#/, /\s+\(/, /\s*[,;]?\s+(?:and|since|because|as|where|but|so|for|with|when)\b/, /[.;,]?\s*$/]
  const cuts = [trimmed]
  for (const end of ends) {
    const at = trimmed.search(end)
    if (at > 0) cuts.push(trimmed.slice(0, at), trimmed.slice(0, at).replace(/[.,;:\x60 ]+$/, ''))
  }
  for (const cut of cuts) {
    const found = literal(cut)
    if (found !== nothing) return found
  }
  return nothing
}

/** The value of an expression that names what the file declares. */
function named(text) {
  try {
    return vm.runInThisContext('(' + text + '\n)', { filename: '<example>', timeout })
  } catch {
    return nothing
  }
}

function same(want, got) {
  if (typeof want === 'number' && typeof got === 'number') {
    return Object.is(want, got) || want === got || Math.abs(want - got) <= 1e-6 * Math.max(1e-3, Math.abs(want), Math.abs(got))
  }
  if (Array.isArray(want) && got !== null && typeof got === 'object' && !Array.isArray(got) && Symbol.iterator in got) got = [...got]
  if (Array.isArray(want) && Array.isArray(got)) return want.length === got.length && want.every((one, at) => same(one, got[at]))
  return isDeepStrictEqual(want, got)
}

const short = (given) => {
  const text = typeof given === 'string' ? JSON.stringify(given) : inspect(given, { depth: 4, breakLength: Infinity })
  return text.length <= 200 ? text : text.slice(0, 200) + '…'
}

const late = 'no result after ' + job.seconds + ' s'
const within = (promise) =>
  Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error(late)), timeout))])

function sources(example) {
  if (example.kind !== 'pair') return [example.source]
  const bare = example.source.replace(/(^|,)\s*[A-Za-z_$][\w$]*\s*=(?!=)\s*/g, '$1')
  return job.subject === undefined ? [] : [...new Set([example.source, bare])].map((text) => job.subject + '(' + text + ')')
}

/** good: true, false, or null for what is no example. */
async function run(example) {
  const want = value(example.want) === nothing && example.kind === 'assertion' ? named(example.want) : value(example.want)
  if (want === nothing) return { good: null }
  for (const source of sources(example)) {
    let script
    try {
      script = new vm.Script('(' + source + '\n)', { filename: '<example>' })
    } catch {
      continue
    }
    try {
      const got = await within(Promise.resolve(script.runInThisContext({ timeout })))
      return { good: same(want, got), source, got: short(got) }
    } catch (error) {
      const told = error?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? late : error?.name + ': ' + error?.message
      // A name that the example alone uses was no name of this file.
      if (error?.name === 'ReferenceError' && /^\s+at .*/m.exec(String(error.stack))?.[0].includes('at <example>')) continue
      return { good: false, source, got: told }
    }
  }
  return { good: null }
}

async function all() {
  try {
    await within(load())
  } catch (error) {
    const ours = ['ReferenceError', 'SyntaxError', 'TypeError', 'RangeError'].includes(error?.name) && error?.code === undefined
    return tell({ text: error?.name + ': ' + error?.message, ours }, 0, [])
  }
  let passed = 0
  const failed = []
  for (const example of job.examples) {
    const { good, source, got } = await run(example)
    if (good) passed += 1
    else if (good === false) failed.push({ source, want: example.want, got })
  }
  tell(null, passed, failed)
}
all()
`
