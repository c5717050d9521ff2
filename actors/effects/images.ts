/** Images that tools found go to models that can see, from the blobs in which they are kept. */
import type { Message, Part } from '../models/model.ts';
import { seesImages } from '../models/vision.ts';
import type { TaskDeps } from './deps.ts';
import type { StoredMessage } from './rows.ts';

/** Of one request; the newest count. */
const MAX_IMAGES = 4;

/** Messages as they are sent: the newest images in their places, where any model can see them. */
export async function withImages(
  { config, blobs }: Pick<TaskDeps, 'config' | 'blobs'>,
  stored: StoredMessage[],
): Promise<Message[]> {
  const messages = stored.map(entry => entry.message);
  if (!Object.values(config.models).some(seesImages)) return messages;
  let left = MAX_IMAGES;
  for (let at = stored.length - 1; at >= 0 && left > 0; at--) {
    const { message, images = [] } = stored[at]!;
    if (message.role !== 'tool' || typeof message.content !== 'string') continue;
    const parts: Part[] = [];
    for (const { blob, media_type } of images.slice(0, left)) {
      // An image that is no longer kept is described all the same.
      const content = await blobs.get(blob).catch(() => null);
      if (content) parts.push({ type: 'image', media_type, data: content.toString('base64') });
    }
    left -= parts.length;
    if (parts.length > 0)
      messages[at] = { ...message, content: [{ type: 'text', text: message.content }, ...parts] };
  }
  return messages;
}
