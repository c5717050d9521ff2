import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrap } from '../src/wrap.js';

test('no line is longer than the width', () => {
  assert.deepEqual(wrap('the quick brown fox jumps', 9), ['the quick', 'brown fox', 'jumps']);
});

test('the space between two words counts', () => {
  assert.deepEqual(wrap('aaaa bbbbb', 9), ['aaaa', 'bbbbb']);
});

test('a word longer than the width stays whole', () => {
  assert.deepEqual(wrap('a marvellous b', 5), ['a', 'marvellous', 'b']);
});
