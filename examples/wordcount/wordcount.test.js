import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countWords, wordFrequencies } from './wordcount.js'

test('counts words between single spaces', () => {
  assert.equal(countWords('one two three'), 3)
})

test('counts words between any white space', () => {
  assert.equal(countWords('  one  two\nthree\t'), 3)
})

test('an empty text has no words', () => {
  assert.equal(countWords(''), 0)
})

test('counts how often each word occurs', () => {
  assert.deepEqual([...wordFrequencies('The cat and the dog')], [['the', 2], ['cat', 1], ['and', 1], ['dog', 1]])
})
