/** Every dialect's table. */
import { bareJson } from './bare-json.ts';
import { cohere } from './cohere.ts';
import { deepseek } from './deepseek.ts';
import { gemma } from './gemma.ts';
import { glm } from './glm.ts';
import { granite } from './granite.ts';
import { harmony } from './harmony.ts';
import { hermes } from './hermes.ts';
import { kimi } from './kimi.ts';
import { llama } from './llama.ts';
import { minimax } from './minimax.ts';
import { mistral } from './mistral.ts';
import { others } from './others.ts';
import { phi } from './phi.ts';
import { pythonic } from './pythonic.ts';
import { qwenXml } from './qwen-xml.ts';
import type { Table } from './table.ts';

export const TABLES: Table[] = [
  ...hermes,
  ...granite,
  ...phi,
  ...cohere,
  ...mistral,
  ...kimi,
  ...minimax,
  ...deepseek,
  ...qwenXml,
  ...glm,
  ...llama,
  ...pythonic,
  ...gemma,
  ...harmony,
  ...bareJson,
  ...others,
];
