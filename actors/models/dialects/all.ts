/** Every dialect with marks of its own. Where two begin alike, the more particular stands first. */
import { deepseek } from './deepseek.ts';
import type { Dialect } from './dialect.ts';
import { gemma, gemmaCode } from './gemma.ts';
import { glm } from './glm.ts';
import { harmony } from './harmony.ts';
import { invokeXml } from './invoke-xml.ts';
import { kimi } from './kimi.ts';
import { llama } from './llama.ts';
import { mistral } from './mistral.ts';
import { phi } from './phi.ts';
import { pythonic } from './pythonic.ts';
import { qwenXml } from './qwen-xml.ts';
import { apertus, cohere, granite, hermes, internlm } from './tagged-json.ts';

export const DIALECTS: readonly Dialect[] = [
  harmony,
  qwenXml,
  invokeXml,
  glm,
  pythonic,
  hermes,
  granite,
  phi,
  cohere,
  mistral,
  kimi,
  deepseek,
  llama,
  gemma,
  gemmaCode,
  internlm,
  apertus,
];
