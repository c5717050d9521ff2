/** Unfinished places in what this subtask added: elided code, and placeholders where words were asked for. */
import { extname } from 'node:path';
import { advisory, type Check, failed, unsure } from './check.ts';
import { speaksOfPlaceholders } from './deliverables.ts';
import type { World } from './world.ts';

const PROSE = /^\.(?:md|mdx|markdown|txt|rst|adoc|tex|html?)$/;
const CODE =
  /^\.(?:[cm]?[jt]s|[jt]sx|py|rb|go|rs|java|kt|swift|c|h|cc|cpp|hpp|cs|php|sh|bash|sql|lua|css|scss|less|vue|svelte|ya?ml|toml|xml|html?)$/;

/** A comment that stands for code which was there or should be: the file has lost it. */
const ELISION =
  /^\s*(?:\/\/|#|\/\*+|\*|<!--|--|;|\{\/\*)\s*(?:\.{2,}|…)?\s*\(?(?:(?:the\s+)?(?:rest|remainder)\s+of\s+(?:the\s+|your\s+|this\s+)?(?:\w+\s+)?(?:code|file|function|class|method|module|implementation|component|content|script|logic|methods|functions|tests|imports)(?:\s+(?:remains?|stays?|is|are|goes))?(?:\s+(?:the\s+)?(?:unchanged|same|here|omitted|as before|as is))?|(?:existing|previous|original|remaining|other|same)\s+(?:code|implementation|methods|functions|content|logic|imports|tests)(?:\s+(?:remains?|stays?|is|are|goes))?\s*(?:(?:the\s+)?(?:unchanged|same|here|omitted|as before))?|(?:code|everything else|all else)\s+(?:unchanged|omitted|as before|remains?\s+(?:the\s+same|unchanged)))\s*\)?\s*(?:\.{2,}|…)?\s*(?:\*\/|-->|\*\/\})?\s*\.?$/i;
/** `existing code` alone can be a heading; with dots or a word of leaving out it cannot. */
const LEFT_OUT = /\.{2,}|…|unchanged|omitted|as before|\bsame\b|\bhere\b|\bas is\b/i;
const MARKER =
  /\b(?:TODO|TBD|FIXME|XXX)\b|\bplaceholder\b|lorem ipsum|\bnot (?:yet )?implemented\b|\bcoming soon\b/i;
/** In prose, a line that is nothing but the promise of a text. */
const EMPTY_WORDS =
  /^(?!\s*#)\W*(?:TODO|TBD|FIXME)\W*$|^(?!\s*#)\W*(?:TODO|TBD|FIXME)\s*[:\-–—]|\blorem ipsum dolor\b|\bcontent (?:goes|to be added) here\b/i;
const SLOT = /\[(?:insert|add|your|placeholder|todo|tbd)\b[^\]\n]{0,60}\](?!\()/i;

export async function placeholders(world: World): Promise<Check[]> {
  const found = await Promise.all(world.changed.map(path => scan(world, path)));
  return found.filter(check => check !== null);
}

async function scan(world: World, path: string): Promise<Check | null> {
  const extension = extname(path).toLowerCase();
  const added = await world.added(path);
  if (added.length === 0) return null;
  const name = `placeholder_${path}`;
  const spoken = speaksOfPlaceholders(world, path);
  const elided = added.find(line => ELISION.test(line) && LEFT_OUT.test(line));
  if (elided && CODE.test(extension)) {
    const detail = `${path} leaves code out and puts "${elided.trim().slice(0, 80)}" in its place.`;
    return spoken ? unsure(name, detail) : failed(name, detail);
  }
  if (spoken) return null;
  if (PROSE.test(extension)) {
    const lines = outsideFences(added);
    const empty = lines.find(line => EMPTY_WORDS.test(line));
    const deliverable = world.node.deliverables.includes(path);
    if (empty) {
      const detail = `${path} has a placeholder where text was asked for: "${empty.trim().slice(0, 80)}".`;
      return deliverable ? failed(name, detail) : unsure(name, detail);
    }
    const slot = lines.find(line => SLOT.test(line));
    // A sentence may well speak of what is still to be done.
    return slot
      ? unsure(name, `${path} has a place that was not filled in: "${slot.trim().slice(0, 80)}".`)
      : null;
  }
  const marker = added.find(line => MARKER.test(line));
  return marker ? advisory(name, `${path} says "${marker.trim().slice(0, 80)}".`) : null;
}

/** Samples of code in prose may show anything. */
function outsideFences(lines: string[]): string[] {
  let inside = false;
  return lines.filter(line => {
    if (/^\s*(?:```|~~~)/.test(line)) inside = !inside;
    return !inside && !/`[^`]*(?:TODO|TBD|FIXME)[^`]*`/i.test(line);
  });
}
