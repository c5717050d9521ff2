/** Artifacts: whole outputs, diffs and fetched files that a model reads page by page, by an id.
 *
 *  An id is `af_` and the first 16 hex digits of the content's sha256, so that the same content has the same id whenever and
 *  however often it is kept. Rows `af/<id>` of a run name the blob; the blob is on disk before the row is committed. An id is
 *  only ever looked up as a row key, after its pattern has been checked: no path is made of it. */

import { LoomError } from '../machines/failure.ts';
import type { BlobRef, Blobs } from '../store/blobs-port.ts';
import type { Row } from '../store/port.ts';

/** Where an artifact comes from. */
interface ArtifactAbout {
  /** `text/plain` unless known better. */
  media_type?: string;
  /** Tool and subject, or the address it was fetched from, for people and for the label of untrusted content. */
  source: string;
  /** Written by somebody outside; whoever reads it reads untrusted content. */
  untrusted?: boolean;
}

/** Value of a row `af/<id>`. */
export interface ArtifactRow {
  blob: BlobRef;
  media_type: string;
  source: string;
  untrusted?: true;
  /** ISO time. */
  at: string;
}

export interface Artifact extends Omit<ArtifactRow, 'blob'> {
  id: string;
  content: Buffer;
}

/** What tools are given. */
export interface Artifacts {
  /** Keeps contents; the id under which `read_artifact` finds them. */
  put(content: Uint8Array, about: ArtifactAbout): Promise<string>;
  /** The same for contents that are a blob already. */
  keep(blob: BlobRef, about: ArtifactAbout): Promise<string>;
  /** Throws LoomError `artifact_invalid` for what is no id, `artifact_unknown` for one that is not (any more) kept. */
  get(id: string): Promise<Artifact>;
}

/** `[limits.runner]` `ingest_artifact_retention_*`: of one run. */
export interface ArtifactLimits {
  /** 0: no limit. */
  days: number;
  files: number;
  bytes: number;
}

export const ARTIFACT_PREFIX = 'af/';
const ID = /^af_[0-9a-f]{16}$/;
const DAY_MS = 86_400_000;
const MAX_SOURCE = 500;

export const artifactKey = (id: string): string => ARTIFACT_PREFIX + id;

interface Shelf extends Artifacts {
  /** Rows of what was kept through this shelf, to be committed with the result. */
  rows(): Row[];
}

/** The artifacts of one execution.
 *  @param find looks an id up among what was committed before
 *  @param now milliseconds since the epoch */
export function artifactShelf(
  blobs: Blobs,
  find: (id: string) => Promise<ArtifactRow | null>,
  now: () => number,
): Shelf {
  const kept = new Map<string, ArtifactRow>();
  const keep: Artifacts['keep'] = async (blob, { media_type = 'text/plain', source, untrusted }) => {
    const id = `af_${blob.sha256.slice(0, 16)}`;
    const known = kept.get(id) ?? (await find(id));
    // The same content once from outside is from outside for good.
    const outside = untrusted === true || known?.untrusted === true;
    if (!kept.has(id) || outside)
      kept.set(id, {
        blob,
        media_type,
        source: source.slice(0, MAX_SOURCE),
        ...(outside ? { untrusted: true as const } : {}),
        at: new Date(now()).toISOString(),
      });
    return id;
  };
  return {
    keep,
    put: async (content, about) => keep(await blobs.put(content), about),
    async get(id) {
      if (!ID.test(id))
        throw new LoomError(
          'terminal',
          'artifact_invalid',
          `artifact_ref ${JSON.stringify(id.slice(0, 60))} is no artifact id; one looks like af_0123456789abcdef and stands in the output that was cut.`,
          { fields: ['artifact_ref'] },
        );
      const row = kept.get(id) ?? (await find(id));
      if (!row)
        throw new LoomError(
          'terminal',
          'artifact_unknown',
          `artifact_ref ${id} is not kept here: it belongs to another run, or was removed to make room (limits.runner.ingest_artifact_retention_*). Run the call that made it again.`,
          { fields: ['artifact_ref'] },
        );
      const { blob, ...about } = row;
      return { ...about, id, content: await blobs.get(blob) };
    },
    rows: () => [...kept].map(([id, value]) => ({ key: artifactKey(id), value })),
  };
}

/** Keys to remove so that a run keeps to its limits: what is too old, then the oldest beyond number and size. What has just
 *  been added stays, whatever its size.
 *  @param rows those there are, in any order
 *  @param added those about to be committed */
export function outlived(
  rows: { key: string; value: ArtifactRow }[],
  added: Row[],
  { days, files, bytes }: ArtifactLimits,
  now: number,
): string[] {
  if (added.length === 0) return [];
  const fresh = new Map(added.map(({ key, value }) => [key, value as ArtifactRow]));
  const newestFirst = rows
    .filter(({ key }) => !fresh.has(key))
    .sort((a, b) => (a.value.at < b.value.at ? 1 : -1));
  let count = fresh.size;
  let size = [...fresh.values()].reduce((sum, { blob }) => sum + blob.size, 0);
  return newestFirst.flatMap(({ key, value }) => {
    count++;
    size += value.blob.size;
    const old = days > 0 && now - Date.parse(value.at) > days * DAY_MS;
    return old || count > files || size > bytes ? [key] : [];
  });
}
