/** A fake server in a process of its own answers like one in this process, and dies when it is told to. */
import { expect, test } from 'vitest';
import { createModel } from '../../../actors/models/create-model.ts';
import { ask, failureOf, options, user } from '../../support/calls.ts';
import { startFakeProcess } from '../../support/fake-process.ts';
import { modelConfig } from '../../support/model-config.ts';

test('answers, records and stops', async () => {
  const fake = await startFakeProcess('ollama', '- {role: executor, repeat: true, reply: from afar}');
  try {
    const model = createModel(modelConfig({ provider: 'ollama', base_url: fake.url }));
    const response = await model.complete(ask('executor', [user('Hi')]), options());
    expect(response.content).toBe('from afar');
    const paths = (await fake.requests()).map(request => request.path);
    expect(paths).toEqual(['/api/show', '/api/chat']);
    await fake.stop();
    const error = await failureOf(model.complete(ask('executor', [user('Hi')]), options()));
    expect(error.failure.code).toBe('connection');
  } finally {
    await fake.stop();
  }
});
