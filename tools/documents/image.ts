/** What an image is: format and size; its pixels go to models that can see. */

import { refusal } from '../result.ts';
import type { Extraction } from './kind.ts';

const MEDIA_TYPES: Record<string, string> = { jpg: 'image/jpeg', svg: 'image/svg+xml', tif: 'image/tiff' };

/** @throws LoomError `document_broken` */
export async function describeImage(bytes: Buffer, shown: string): Promise<Extraction> {
  const { imageSize } = await import('image-size');
  let found: ReturnType<typeof imageSize>;
  try {
    found = imageSize(bytes);
  } catch (error) {
    throw refusal(
      'document_broken',
      `${shown} is damaged: ${(error as Error).message}. Get a new copy of it.`,
    );
  }
  const type = found.type ?? 'unknown';
  const media_type = MEDIA_TYPES[type] ?? `image/${type}`;
  return {
    kind: 'image',
    text: `[Image: ${shown}, ${type.toUpperCase()}, ${found.width}×${found.height} pixels, ${bytes.length.toLocaleString('en-US')} bytes]`,
    data: { type: 'image', media_type, width: found.width, height: found.height, size: bytes.length },
  };
}
