/** DOT laid out as SVG by Graphviz, which comes as WebAssembly in an optional package and is loaded only here. */
import { LoomError } from '../machines/failure.ts';

const PACKAGE = '@viz-js/viz';
const VERSION = '3.31.0';

interface Viz {
  render(
    input: string,
    options: { format: string },
  ): { status: string; output?: string; errors: { level?: string; message: string }[] };
}

const load = (): Promise<{ instance(): Promise<Viz> }> =>
  import(PACKAGE) as Promise<{ instance(): Promise<Viz> }>;

/** The same letters on every system, see `dot.ts`. */
const FONTS = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace";

/** Throws LoomError `viz_missing` when the optional package is not installed.
 *  @param from how the package is loaded */
export async function svg(dot: string, from: typeof load = load): Promise<string> {
  const { instance } = await from().catch((error: unknown) => {
    throw new LoomError(
      'terminal',
      'viz_missing',
      `SVG needs the package ${PACKAGE}, which is not installed here (${(error as { code?: string }).code ?? String(error)}). Install it beside Loom with \`npm install ${PACKAGE}@${VERSION}\`, or use --format mermaid, or --format dot with Graphviz: loom chart … --format dot | dot -Tsvg.`,
    );
  });
  const { status, output, errors } = (await instance()).render(dot, { format: 'svg' });
  if (status !== 'success' || output === undefined)
    throw new LoomError(
      'terminal',
      'viz_failed',
      `Graphviz could not draw this chart: ${errors.map(({ message }) => message).join('; ')}. --format dot prints what it was given.`,
    );
  return output.replaceAll(/font-family="Courier[^"]*"/g, `font-family="${FONTS}"`);
}
