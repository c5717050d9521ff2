/** Small real documents, made as the programs make them: PDF, DOCX, PPTX, XLSX, tar, PNG. */
import { deflateSync } from 'node:zlib';
import { Document, Footer, Header, HeadingLevel, Packer, Paragraph, Table, TableCell, TableRow } from 'docx';
import { strToU8, zipSync } from 'fflate';
import writeXlsx from 'write-excel-file/node';

const escaped = (text: string): string => text.replace(/[\\()]/g, '\\$&');

/** Lines of text, from the top of the page on; an array puts its texts side by side, 150 points apart. */
export type PdfPage = (string | string[])[];

/** @param raw replaces the contents of a page by this stream and its dictionary entries */
export function makePdf(pages: PdfPage[], raw?: { dictionary: string; stream: Buffer }): Buffer {
  const objects: Buffer[] = [];
  const add = (text: string, stream?: Buffer) => {
    const body = stream
      ? Buffer.concat([Buffer.from(`${text}\nstream\n`), stream, Buffer.from('\nendstream')])
      : Buffer.from(text);
    return objects.push(body);
  };
  add('<< /Type /Catalog /Pages 2 0 R >>');
  add(
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, i) => `${4 + i * 2} 0 R`).join(' ')}] >>`,
  );
  add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>');
  for (const [i, lines] of pages.entries()) {
    add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + i * 2} 0 R >>`,
    );
    const drawn = lines.flatMap((line, n) =>
      [line]
        .flat()
        .map((text, k) => `BT /F1 12 Tf ${72 + k * 150} ${720 - n * 14} Td (${escaped(text)}) Tj ET`),
    );
    const stream = raw?.stream ?? deflateSync(drawn.join('\n'));
    add(`<< /Length ${stream.length} ${raw?.dictionary ?? '/Filter /FlateDecode'} >>`, stream);
  }
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n')];
  const offsets: number[] = [];
  let at = parts[0]!.length;
  for (const [i, body] of objects.entries()) {
    const object = Buffer.concat([Buffer.from(`${i + 1} 0 obj\n`), body, Buffer.from('\nendobj\n')]);
    offsets.push(at);
    at += object.length;
    parts.push(object);
  }
  const table = offsets.map(offset => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  parts.push(
    Buffer.from(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${at}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

/** A heading, a paragraph, a table, a header and a footer. */
export function makeDocx(heading: string, text: string, table: string[][]): Promise<Buffer> {
  const rows = table.map(
    row => new TableRow({ children: row.map(cell => new TableCell({ children: [new Paragraph(cell)] })) }),
  );
  const document = new Document({
    sections: [
      {
        headers: { default: new Header({ children: [new Paragraph('Confidential')] }) },
        footers: { default: new Footer({ children: [new Paragraph('Page foot')] }) },
        children: [
          new Paragraph({ text: heading, heading: HeadingLevel.HEADING_1 }),
          new Paragraph(text),
          new Table({ rows }),
        ],
      },
    ],
  });
  return Packer.toBuffer(document);
}

export interface Slide {
  title: string;
  lines?: string[];
  table?: string[][];
  notes?: string;
}

const paragraph = (text: string) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`;
const shape = (kind: string, texts: string[]) =>
  `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${kind}"/></p:nvPr></p:nvSpPr><p:txBody>${texts.map(paragraph).join('')}</p:txBody></p:sp>`;
const relations = (entries: [id: string, type: string, target: string][]) =>
  `<Relationships>${entries.map(([id, type, target]) => `<Relationship Id="${id}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/${type}" Target="${target}"/>`).join('')}</Relationships>`;

/** Slides stand in the archive in the opposite order: only the presentation says which comes first. */
export function makePptx(slides: Slide[]): Buffer {
  const files: Record<string, Uint8Array> = {};
  const count = slides.length;
  for (const [i, { title, lines = [], table, notes }] of slides.entries()) {
    const n = count - i;
    const drawn = table
      ? `<p:grpSp><p:graphicFrame><a:tbl>${table.map(row => `<a:tr>${row.map(cell => `<a:tc>${paragraph(cell)}</a:tc>`).join('')}</a:tr>`).join('')}</a:tbl></p:graphicFrame></p:grpSp>`
      : '';
    files[`ppt/slides/slide${n}.xml`] = strToU8(
      `<p:sld><p:cSld><p:spTree>${shape('title', [title])}${shape('body', lines)}${drawn}</p:spTree></p:cSld></p:sld>`,
    );
    if (notes === undefined) continue;
    files[`ppt/slides/_rels/slide${n}.xml.rels`] = strToU8(
      relations([['rId1', 'notesSlide', `../notesSlides/notesSlide${n}.xml`]]),
    );
    files[`ppt/notesSlides/notesSlide${n}.xml`] = strToU8(
      `<p:notes><p:spTree>${shape('body', [notes])}${shape('sldNum', [String(n)])}</p:spTree></p:notes>`,
    );
  }
  const ids = slides.map((_, i) => `<p:sldId id="${256 + i}" r:id="rId${i + 1}"/>`).join('');
  files['ppt/presentation.xml'] = strToU8(
    `<?xml version="1.0"?><p:presentation><p:sldIdLst>${ids}</p:sldIdLst></p:presentation>`,
  );
  files['ppt/_rels/presentation.xml.rels'] = strToU8(
    relations(slides.map((_, i) => [`rId${i + 1}`, 'slide', `slides/slide${count - i}.xml`])),
  );
  return Buffer.from(zipSync(files));
}

export type CellValue = string | number | boolean | Date | null;

export async function makeXlsx(sheets: Record<string, CellValue[][]>): Promise<Buffer> {
  const written = Object.entries(sheets).map(([sheet, rows]) => ({
    sheet,
    data: rows.map(row =>
      row.map(value =>
        value instanceof Date
          ? { value, type: Date, format: 'yyyy-mm-dd' }
          : value === null
            ? null
            : { value },
      ),
    ),
  }));
  return writeXlsx(written as Parameters<typeof writeXlsx>[0]).toBuffer();
}

export function makeTar(files: Record<string, string>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, content] of Object.entries(files)) {
    const head = Buffer.alloc(512);
    head.write(name, 0);
    head.write('0000644\0', 100);
    head.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    head.write('0', 156);
    head.write('ustar\0', 257);
    const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    body.write(content);
    parts.push(head, body);
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** A one-coloured PNG. */
export function makePng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(data.length);
    // Nothing here looks at the check sum.
    return Buffer.concat([size, Buffer.from(type), data, Buffer.alloc(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const pixels = deflateSync(Buffer.alloc((width + 1) * height));
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
