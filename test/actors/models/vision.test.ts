import { describe, expect, test } from 'vitest';
import { seesImages, withoutImages } from '../../../actors/models/vision.ts';

describe('models that see', () => {
  test.each([
    ['claude-sonnet-4-5', true],
    ['claude-2.1', false],
    ['gpt-4o-mini', true],
    ['gpt-3.5-turbo', false],
    ['qwen2.5-vl:7b', true],
    ['qwen2.5vl:7b', true],
    ['qwen3:14b', false],
    ['qwen2.5-coder:7b', false],
    ['llama3.2-vision:11b', true],
    ['llama3.2:3b', false],
    ['gemma3:12b', true],
    ['llava:13b', true],
    ['mistral-nemo', false],
    ['nomic-embed-vision', false],
    ['evl-model', false],
  ])('%s: %s', (model, sees) => {
    expect(seesImages({ model, capabilities: {} })).toBe(sees);
    expect(seesImages({ model, capabilities: { vision: !sees } })).toBe(!sees);
  });

  test('the others are told that there was an image', () => {
    const content = [
      { type: 'text' as const, text: 'a.png' },
      { type: 'image' as const, media_type: 'image/png', data: 'AAAA' },
    ];
    const request = {
      messages: [
        { role: 'user' as const, content: 'look' },
        { role: 'tool' as const, tool_call_id: '1', name: 'read_file', content },
      ],
      max_tokens: 10,
      stream: false,
    };
    const { messages } = withoutImages(request);
    expect(messages[0]).toEqual(request.messages[0]);
    expect(messages[1]!.content).toBe('a.png\n[an image, which this model cannot see]');
  });
});
