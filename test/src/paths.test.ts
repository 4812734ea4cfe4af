import { expect, test } from 'vitest'
import { resolvePaths } from '../../src/paths.ts'

test('falls back to the XDG defaults in the home folder', () => {
  expect(resolvePaths({}, '/home/a')).toEqual({
    config: '/home/a/.config/cachalot',
    data: '/home/a/.local/share/cachalot',
    state: '/home/a/.local/state/cachalot',
    cache: '/home/a/.cache/cachalot',
  })
})

test('follows the XDG variables and ignores relative ones', () => {
  const paths = resolvePaths({ XDG_DATA_HOME: '/srv/data', XDG_CACHE_HOME: 'relative' }, '/home/a')
  expect(paths.data).toBe('/srv/data/cachalot')
  expect(paths.cache).toBe('/home/a/.cache/cachalot')
})

test('CACHALOT_HOME puts everything under one folder', () => {
  const paths = resolvePaths({ CACHALOT_HOME: '/t', XDG_DATA_HOME: '/srv/data' }, '/home/a')
  expect(paths).toEqual({ config: '/t/config', data: '/t/data', state: '/t/state', cache: '/t/cache' })
})
