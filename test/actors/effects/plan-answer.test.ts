/** Planner answers of every shape, to a plan or to errors a planner can act on. */
import { describe, expect, it } from 'vitest';
import { normaliseId, readPlan } from '../../../actors/effects/plan-answer.ts';

const ok = '{"subtasks":[{"id":"a","description":"do it"}]}';

describe('a plan', () => {
  it.each([
    ['plain', ok],
    ['fenced', `Here it is:\n\`\`\`json\n${ok}\n\`\`\``],
    ['bare list', '[{"id":"a","description":"do it"}]'],
    ['fenced bare list', '```\n[{"id":"a","description":"do it"}]\n```'],
    ['trailing comma', '{"subtasks":[{"id":"a","description":"do it",},]}'],
    ['in prose', `I think this works. ${ok} Good luck!`],
  ])('is read: %s', async (_, text) => {
    const read = await readPlan(text);
    expect(read).toMatchObject({
      plan: { subtasks: [{ id: 'a', description: 'do it', verification_tier: 2, model_tier: 1 }] },
    });
  });

  it('normalises ids in both places, criteria lists and lone deliverables', async () => {
    const read = await readPlan(
      '{"subtasks":[{"id":"Step One","description":"x","acceptance_criteria":["a","b"],"deliverables":"f.md"},{"id":2,"description":"y","depends_on":["Step_One"]}]}',
    );
    expect(read).toMatchObject({
      plan: {
        subtasks: [
          { id: 'step-one', acceptance_criteria: 'a\nb', deliverables: ['f.md'] },
          { id: 'step-2', depends_on: ['step-one'] },
        ],
      },
    });
    expect(normaliseId('---')).toBe('---');
  });

  it.each([
    ['prose', 'First we look around, then we write.', /no JSON object/],
    ['no description', '{"subtasks":[{"id":"a"}]}', /description/],
    ['tier as a word', '{"subtasks":[{"id":"a","description":"x","model_tier":"high"}]}', /model_tier/],
    [
      'tier out of range',
      '{"subtasks":[{"id":"a","description":"x","verification_tier":7}]}',
      /verification_tier/,
    ],
    ['empty', '{"subtasks":[]}', /subtasks/],
    ['strings', '{"subtasks":["a","b"]}', /subtasks/],
    ['depends_on as a word', '{"subtasks":[{"id":"a","description":"x","depends_on":"b"}]}', /depends_on/],
  ])('is refused with what is wrong: %s', async (_, text, pattern) => {
    const read = await readPlan(text);
    expect('errors' in read && read.errors.join('\n')).toMatch(pattern);
  });
});
