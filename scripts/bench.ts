/**
 * `npm run bench [-- NAME … --rounds N --model FILE --tokens N]`
 *
 * Measures as ratios against something in the same run, and prints markdown tables. Without a NAME all of them, which takes
 * an hour: start, unattended, interface, interrupt, command, undo, packing, kills, session, context, context-v4, engine,
 * engine-moe, grammar, yield, state, state-v4, speculation, speculation-v4, tries.
 * `engine` needs a real model file (`--model`, default $CACHALOT_REAL_MODEL) and a compiler for llama-bench; without a file it says so and is left out.
 * `context` reads a repository of about `--tokens` with the model; without one it only packs. `context-v4`, `state-v4`, `speculation-v4` and
 * `engine-moe` do the same with files of our own making: DeepSeek V4's structure, and a mixture of experts of 3 GB and more that is
 * made from the model.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { benchCommand } from './bench/command.ts'
import { benchContext } from './bench/context.ts'
import { benchEngine } from './bench/engine.ts'
import { benchGrammar } from './bench/grammar.ts'
import { benchInterface } from './bench/interface.ts'
import { benchInterrupt } from './bench/interrupt.ts'
import { benchKills, benchSession } from './bench/kept.ts'
import { benchPacking } from './bench/packing.ts'
import { benchSpeculation } from './bench/speculation.ts'
import { benchSpeculationV4 } from './bench/speculation-v4.ts'
import { benchStart } from './bench/start.ts'
import { benchState } from './bench/state.ts'
import { syntheticMoe, syntheticV4 } from './bench/synthetic.ts'
import { benchTries } from './bench/tries.ts'
import { benchUnattended } from './bench/unattended.ts'
import { benchUndo } from './bench/undo.ts'
import { benchYield } from './bench/yield.ts'
import { usageOf } from './usage.ts'

const all = [
  ...['start', 'unattended', 'interface', 'interrupt', 'command', 'undo', 'packing', 'kills', 'session', 'context'],
  ...['context-v4', 'engine', 'engine-moe', 'grammar', 'yield', 'state', 'state-v4', 'speculation', 'speculation-v4'],
  'tries',
]
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    tokens: { type: 'string', default: '16384' },
    rounds: { type: 'string', default: '5' },
    model: { type: 'string', default: process.env['CACHALOT_REAL_MODEL'] ?? '' },
  },
})
if (flags.help) {
  process.stdout.write(usageOf(import.meta.filename))
  process.exit(0)
}
const rounds = Number(flags.rounds)
const wanted = positionals.length > 0 ? positionals : all
const unknown = wanted.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`There is no benchmark ${unknown.join(', ')}. There are: ${all.join(', ')}.\n`)
  process.exit(2)
}
const say = (title: string, rows: readonly string[]): boolean =>
  process.stdout.write(`\n## ${title}\n\n${rows.join('\n')}\n`)

process.stdout.write(
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}, npm run bench -- ${process.argv.slice(2).join(' ')}\n`,
)
if (wanted.includes('start')) say('Start-up, memory, latency', await benchStart(rounds))
if (wanted.includes('interface')) say('The interface', await benchInterface(rounds))
if (wanted.includes('interrupt')) say('Ctrl-C', await benchInterrupt(rounds))
if (wanted.includes('command')) say('Sandboxed command', await benchCommand())
if (wanted.includes('unattended')) say('Runs at once', await benchUnattended())
if (wanted.includes('undo')) say('Undo', await benchUndo(rounds))
if (wanted.includes('packing')) say('Packing and outlining', await benchPacking(10_000))
if (wanted.includes('kills')) say('Killed while saving', await benchKills(50))
if (wanted.includes('session')) say('A session of 200 turns', await benchSession(200))
if (wanted.includes('context'))
  say('The repository in the context', await benchContext(flags.model, Number(flags.tokens)))
if (wanted.includes('context-v4'))
  say(
    'The repository in the context: synthetic V4',
    await benchContext(syntheticV4('small'), Number(flags.tokens), 'deepseek-v4'),
  )
// The state of V4-Flash's geometry, which reads slowly here: a quarter is enough to see it.
if (wanted.includes('state-v4'))
  say(
    'State: fork, abort, save, load: synthetic V4-Flash',
    await benchState(syntheticV4('flash'), Number(flags.tokens) / 4, rounds),
  )
if (wanted.includes('speculation-v4'))
  say(
    'Copy speculation on DeepSeek V4: synthetic V4-Flash',
    await benchSpeculationV4(syntheticV4('flash-copy'), rounds),
  )
for (const [name, title, bench] of [
  ['engine', 'Engine beside llama-bench', () => benchEngine(flags.model, rounds)],
  [
    'engine-moe',
    'Engine beside llama-bench, a mixture of experts of 3 GB made from',
    async () => benchEngine(await syntheticMoe(flags.model), rounds),
  ],
  ['grammar', 'Calls held to a grammar', () => benchGrammar(flags.model, rounds)],
  ['yield', 'A command beside a model that works', () => benchYield(flags.model, rounds)],
  ['state', 'State: fork, abort, save, load', () => benchState(flags.model, Number(flags.tokens), rounds)],
  ['speculation', 'Copy speculation', () => benchSpeculation(flags.model, rounds)],
  ['tries', 'Many tries for the price of few', () => benchTries(flags.model, rounds)],
] as const) {
  if (!wanted.includes(name)) continue
  if (flags.model === '') process.stdout.write(`\n${name}: left out, no --model and no CACHALOT_REAL_MODEL\n`)
  else say(`${title}: ${flags.model.split('/').at(-1)}`, await bench())
}
