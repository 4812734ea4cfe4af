import { expect, test } from 'vitest'
import { readLoad, ThreadGovernor } from '../../engine/host/threads.ts'

/** A machine of some cores whose load we set. */
function machine(cores: number, most?: number) {
  const now = { at: 0, everybody: 0, ours: 0 }
  const governor = new ThreadGovernor(most, () => ({ ...now }), cores)
  return {
    governor,
    /** Half a second in which others use so many cores, and we one for each of our threads that gets one. */
    pass(others: number) {
      const ours = Math.min(governor.threads(now.at), cores - Math.min(others, cores - 0.5))
      now.at += 500
      now.everybody += 500 * (others + ours)
      now.ours += 500 * ours
      return governor.threads(now.at)
    },
  }
}

test('gives way to a busy neighbour at once, and comes back when it is calm for a while', () => {
  const { pass } = machine(2)
  expect(pass(0)).toBe(2)
  expect(pass(0.3)).toBe(2)
  expect(pass(1)).toBe(1)
  expect(pass(1)).toBe(1)
  expect(pass(0)).toBe(1)
  expect(pass(0)).toBe(2)
})

test('gives way to a neighbour that gets half of a core because we have the other half', () => {
  const { pass } = machine(2)
  expect(pass(0.5)).toBe(1)
  expect(machine(4).pass(1.5)).toBe(2)
})

test('rests where others want half of the cores, and only where it had more of them', () => {
  const two = machine(2)
  two.pass(0)
  expect(two.governor.rest(100)).toBe(0)
  two.pass(1)
  expect(two.governor.rest(100)).toBe(25)
  two.pass(0)
  expect(two.governor.rest(100)).toBe(0)
  const [bound, wide] = [machine(2, 1), machine(16)]
  bound.pass(1)
  expect(bound.governor.rest(100)).toBe(0)
  wide.pass(1)
  expect(wide.governor.rest(100)).toBe(0)
  wide.pass(12)
  expect(wide.governor.rest(100)).toBe(25)
})

test('what others did while the model was idle is over', () => {
  const now = { at: 0, everybody: 0, ours: 0 }
  const governor = new ThreadGovernor(2, () => ({ ...now }), 2)
  now.at += 3000
  now.everybody += 6000
  expect(governor.threads(now.at)).toBe(2)
  now.at += 300
  now.everybody += 600
  expect(governor.threads(now.at)).toBe(1)
})

test('one thread at least, the user’s limit at most', () => {
  expect(machine(2).pass(2)).toBe(1)
  expect(machine(8).pass(3)).toBe(5)
  expect(machine(8, 4).pass(3)).toBe(4)
  expect(machine(2, 16).governor.most).toBe(2)
})

test('an old reading says nothing about now', () => {
  const now = { at: 0, everybody: 0, ours: 0 }
  const governor = new ThreadGovernor(2, () => ({ ...now }), 2)
  now.at = 60_000
  now.everybody = 120_000
  expect(governor.threads(now.at)).toBe(2)
})

test('reads the load of this machine', () => {
  const before = readLoad()
  // Until we had so much of a processor, however many want it.
  while (readLoad().ours - before.ours < 200);
  const after = readLoad()
  expect(after.everybody - before.everybody).toBeGreaterThan(100)
  expect(after.at - before.at).toBeGreaterThan(100)
}, 60_000)
