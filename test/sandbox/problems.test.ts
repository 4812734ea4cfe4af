import { describe, expect, test } from 'vitest'
import { changedMessage, problemOf, vanished } from '../../sandbox/linux/problems.ts'

describe('what bwrap says becomes what a person can do', () => {
  test.each([
    [
      'bwrap: setting up uid map: Permission denied',
      true,
      1000,
      'userns-denied',
      /apparmor_restrict_unprivileged_userns=0/,
    ],
    ['bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted', true, 1000, 'userns-denied', /doctor --apparmor/],
    ['bwrap: setting up uid map: Permission denied', false, 1000, 'no-namespaces', /--sandbox external/],
    [
      'bwrap: No permissions to create new namespace, likely because the kernel',
      false,
      1000,
      'no-namespaces',
      /seccomp=unconfined/,
    ],
    [
      'bwrap: Creating new namespace failed: No space left on device',
      false,
      1000,
      'no-namespaces',
      /max_user_namespaces/,
    ],
    ['bwrap: setting up uid map: Operation not permitted', false, 0, 'root-without-caps', /CAP_SETFCAP/],
    ["bwrap: Can't mount proc on /newroot/proc: Operation not permitted", false, 1000, 'no-proc', /--sandbox external/],
    ['bwrap: something new', false, 1000, 'self-test', /something new/],
  ])('%s', (said, apparmor, uid, kind, message) => {
    const problem = problemOf(said, apparmor, uid)
    expect(problem.kind).toBe(kind)
    expect(problem.message).toMatch(/^No sandbox: /)
    expect(problem.message).toMatch(message)
  })
})

test('a folder that goes away while the box is made is told apart from a machine without one', () => {
  const said = "bwrap: Can't find source path /w/n/.git: No such file or directory\n"
  expect(changedMessage(vanished(said) ?? '')).toMatch(
    /not run: the work tree changed .*\/w\/n\/\.git.*in the background/,
  )
  expect(vanished("bwrap: Can't mount proc on /newroot/proc: Operation not permitted")).toBeUndefined()
})
