import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slug } from '../src/slug.js';

test('accents and punctuation disappear', () => {
  assert.equal(slug('Crème brûlée!'), 'creme-brulee');
});

test('runs of other characters become one dash', () => {
  assert.equal(slug('  one -- two  '), 'one-two');
});
