/** Waits for the client's stop as a long step does: without a turn of the event loop. */
import { writeSync } from 'node:fs'
import koffi from 'koffi'
import { libc } from '../../../engine/host/library.ts'
import { openStopFlag } from '../../../engine/host/stop-flag.ts'

const strlen = koffi.load(libc()).func('size_t strlen(void *text)')
const flag = openStopFlag(process.argv[2] === 'shared')
const raised = () => Number(strlen(flag.address)) > 0
flag.raise()
const own = raised()
flag.lower()
writeSync(1, `${flag.isShared ? 'shared' : 'alone'} ${own} ${raised()}\n`)
const end = performance.now() + 20_000
if (flag.isShared) while (!raised() && performance.now() < end);
if (raised() || !flag.isShared) writeSync(1, 'stopped\n')
