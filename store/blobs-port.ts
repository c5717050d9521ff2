/** Content outside the database: before-images, long tool outputs. Content-addressed, so a repeated write is harmless. */
export interface BlobRef {
  sha256: string;
  /** Bytes. */
  size: number;
  /** Contents under 4 KB travel in the row itself, base64. */
  inline?: string;
}

export interface Blobs {
  /** On disk (tmp, fsync, rename, fsync of the folder) when it resolves. */
  put(content: Uint8Array): Promise<BlobRef>;
  /** Throws LoomError `blob_missing` when the content is gone, `blob_damaged` when the hash differs. */
  get(ref: BlobRef): Promise<Buffer>;
}
