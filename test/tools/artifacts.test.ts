import { describe, expect, it } from 'vitest';
import { type ArtifactRow, artifactShelf, outlived } from '../../tools/artifacts.ts';
import { createRegistry } from '../../tools/registry.ts';
import { success } from '../../tools/result.ts';
import type { Tool } from '../../tools/tool.ts';
import { bench, failureOf } from './support.ts';

const talkative = (output: string): Tool => ({
  name: 'talk',
  description: 'Says a lot.',
  category: 'tools',
  parameters: { type: 'object', properties: {}, additionalProperties: false },
  effects: 'read',
  timeoutMs: 5_000,
  run: async () => success(output),
});

const NAMED = /read_artifact (af_[0-9a-f]{16})\b/;

describe('a cut output', () => {
  const long = Array.from({ length: 4_000 }, (_, i) => `line ${i + 1} of the output`).join('\n');

  it('is named where it was cut, and can be paged through to its last character', async () => {
    const { context } = await bench();
    const registry = createRegistry([...createRegistry().list(), talkative(long)]);
    const result = await registry.run('talk', {}, { ...context, outputLimit: 2_000 });
    expect(result.output.length).toBeLessThanOrEqual(2_000);
    const id = NAMED.exec(result.output)![1]!;
    expect(result.data['artifact_ref']).toBe(id);
    let offset = 0;
    let whole = '';
    for (let pages = 0; pages < 100; pages++) {
      const page = await registry.run(
        'read_artifact',
        { artifact_ref: id, offset, max_chars: 50_000 },
        context,
      );
      expect(page.success).toBe(true);
      expect(page.output.length).toBeLessThanOrEqual(context.outputLimit);
      whole += page.output.replace(/\n\[characters [^\]]*\]$/, '');
      if (!page.data['truncated']) break;
      offset = page.data['end'] as number;
    }
    expect(whole).toBe(long);
    expect(
      await registry.run('read_artifact', { artifact_ref: id, offset: 10_000_000 }, context),
    ).toMatchObject({
      success: false,
      error: { code: 'out_of_range', detail: { fields: ['offset'] } },
    });
  });

  it('and a long diff are kept whole by the tools that make them', async () => {
    const { context } = await bench();
    const registry = createRegistry();
    const content = Array.from({ length: 300 }, (_, i) => `row ${i}\n`).join('');
    const wrote = await registry.run('write_file', { path: 'a.txt', content }, context);
    const diff = await registry.run(
      'read_artifact',
      { artifact_ref: NAMED.exec(wrote.output)![1]!, max_chars: 20_000 },
      context,
    );
    expect(diff.output).toContain('+row 299');
    const ran = await registry.run(
      'shell_execute',
      { command: 'seq 1 20000' },
      { ...context, outputLimit: 1_000 },
    );
    const last = await registry.run(
      'read_artifact',
      { artifact_ref: NAMED.exec(ran.output)![1]!, offset: 100_000 },
      context,
    );
    expect(last.output).toContain('20000');
  });

  it('is never parted within a character', async () => {
    const { context } = await bench();
    const id = await context.artifacts.put(Buffer.from('😀'.repeat(600)), { source: 'test' });
    const page = await createRegistry().run(
      'read_artifact',
      { artifact_ref: id, offset: 1, max_chars: 401 },
      context,
    );
    expect(page.output.split('\n')[0]).toBe('😀'.repeat(200));
  });
});

describe('an artifact', () => {
  it('is text where it is a document, and told of where it is bytes', async () => {
    const { context } = await bench();
    const csv = await context.artifacts.put(Buffer.from('name,n\nada,1\n'), {
      media_type: 'text/csv',
      source: 'https://example.org/t.csv',
    });
    const read = (id: string) => createRegistry().run('read_artifact', { artifact_ref: id }, context);
    expect((await read(csv)).output).toContain('ada');
    const bytes = await context.artifacts.put(Buffer.from([0, 1, 2, 255, 254, 0, 0]), { source: 'x' });
    expect(await read(bytes)).toMatchObject({ success: true, data: { binary: true, size_bytes: 7 } });
  });

  it('has an id that is looked up, never a path: all else is refused by field', async () => {
    const { context } = await bench({ 'secret.txt': 'KEY' });
    for (const ref of ['../../../../out/doc', 'secret.txt', 'af_../secret.txt', '/etc/passwd', 'af_*', ''])
      expect(
        await createRegistry().run('read_artifact', { artifact_ref: ref }, context),
        JSON.stringify(ref),
      ).toMatchObject({
        success: false,
        error: { code: 'artifact_invalid', detail: { fields: ['artifact_ref'] } },
      });
    expect((await failureOf(context.artifacts.get('af_0123456789abcdef'))).code).toBe('artifact_unknown');
  });

  it('of the same content is one, and found by whoever comes after', async () => {
    const { context } = await bench();
    const rows = new Map<string, ArtifactRow>();
    const open = () => artifactShelf(context.blobs, async id => rows.get(`af/${id}`) ?? null, Date.now);
    const first = open();
    const id = await first.put(Buffer.from('x'.repeat(9_000)), { source: 'a' });
    expect(await first.put(Buffer.from('x'.repeat(9_000)), { source: 'b' })).toBe(id);
    expect(first.rows().map(row => row.key)).toEqual([`af/${id}`]);
    for (const { key, value } of first.rows()) rows.set(key, value as ArtifactRow);
    expect(await open().get(id)).toMatchObject({ id, source: 'a', media_type: 'text/plain' });
  });
});

describe('the room for artifacts', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  const kept = (n: number, days: number, size = 10) => ({
    key: `af/${n}`,
    value: {
      blob: { sha256: '', size },
      media_type: 'text/plain',
      source: '',
      at: new Date(now - days * 86_400_000).toISOString(),
    },
  });
  const rows = [kept(1, 20), kept(2, 10), kept(3, 5), kept(4, 1)];

  it('ends by age, number and size, the oldest first, never with what has just come', () => {
    const limits = { days: 14, files: 96, bytes: 1_000 };
    expect(outlived(rows, [kept(5, 0)], limits, now)).toEqual(['af/1']);
    expect(outlived(rows, [kept(5, 0)], { ...limits, days: 0 }, now)).toEqual([]);
    expect(outlived(rows, [kept(5, 0)], { ...limits, files: 3 }, now)).toEqual(['af/2', 'af/1']);
    expect(outlived(rows, [kept(5, 0, 985)], limits, now)).toEqual(['af/3', 'af/2', 'af/1']);
    expect(outlived(rows, [kept(5, 0, 5_000)], limits, now)).toEqual(['af/4', 'af/3', 'af/2', 'af/1']);
    expect(outlived(rows, [], limits, now)).toEqual([]);
    expect(outlived(rows, [kept(1, 0)], limits, now)).toEqual([]);
  });
});
