import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countWords, longestWord } from './wordcount.js'

test('counts words between any white space', () => {
  assert.equal(countWords('  one  two\nthree\t'), 3)
  assert.equal(countWords(''), 0)
})

test('finds the longest word', () => {
  assert.equal(longestWord('a whale is a mammal'), 'mammal')
  assert.equal(longestWord('one two\nthree four'), 'three')
})

test('the first of several longest words counts', () => {
  assert.equal(longestWord('one two six'), 'one')
})

test('a text without words has no longest word', () => {
  assert.equal(longestWord(''), '')
})
