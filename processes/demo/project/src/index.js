export { slug } from './slug.js';
export { truncate } from './truncate.js';
export { wrap } from './wrap.js';
