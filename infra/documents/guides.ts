import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const API_GUIDE = join(import.meta.dirname, '../../functions/README.md');

/**
 * Tags of operations, with the sections of the API guide that describe them. Generated clients have a
 * class for each.
 */
export const OPERATION_TAGS = {
  Customers: ['Customers'],
  Exports: ['Exports', 'Long exports'],
  Imports: ['Imports', 'Codes of imports'],
  Changes: ['Changes', 'Digests'],
  'Look-up': ['Look-up by number'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Documents that the API serves, by their path from the API guide. */
const SERVED: Readonly<Record<string, string>> = {
  '../shared/openapi.json': '/openapi.json',
  '../shared/customers.xsd': '/customers.xsd',
};

/** A tag of the OpenAPI document; the API reference shows it as a chapter. */
interface Tag {
  readonly name: string;
  readonly description: string;
}

/**
 * Returns the sections of the API guide, `functions/README.md`, as tags: one for each section that
 * describes no operations, then those of operations. Links lead to chapters of the API reference or to
 * served documents; a link to another file becomes its text. Tables of calls are left out, since the
 * reference lists them itself.
 *
 * @throws Error if the guide lacks a section that {@link OPERATION_TAGS} names.
 */
export function guideTags(): Tag[] {
  const [, ...texts] = readFileSync(API_GUIDE, 'utf8').split(/^## /m);
  const sections = new Map(
    texts.map((text) => {
      const [title = ''] = text.split('\n', 1);
      return [title, toDescription(text.slice(title.length))];
    }),
  );
  const ofOperations = Object.entries(OPERATION_TAGS).map(([name, titles]) => {
    const parts = titles.map((title, index) => {
      const section = sections.get(title);
      if (!section) throw new Error(`${API_GUIDE} has no section ${title}`);
      return index === 0 ? section : `## ${title}\n\n${section}`;
    });
    return { name, description: parts.join('\n\n') };
  });
  const used: readonly string[] = Object.values(OPERATION_TAGS).flat();
  const others = [...sections].filter(([title]) => !used.includes(title));
  return [...others.map(([name, description]) => ({ name, description })), ...ofOperations];
}

/** Returns an introduction to the API, with links to the chapters of its reference. */
export function introduction(): string {
  const [, block = ''] = /^```sh\n([\s\S]*?)^```$/m.exec(readFileSync(API_GUIDE, 'utf8')) ?? [];
  const functions = block
    .replace('@.local/authorization', '"Authorization: Bearer $TOKEN"')
    .replace('http://localhost:3000', '$API');
  return `A customer register for merchants. Each merchant stores, searches, imports and exports its own
customers; the merchant is a claim of the caller's token.

- Each call needs a [token](${anchorOf('requests-and-tokens')}).
- Lists come in [pages](${anchorOf('pages')}); lists, counts and exports take [filters](${anchorOf('filters')}) and [values to look up](${anchorOf('look-ups-by-value')}).
- \`PUT\` [creates or replaces](${anchorOf('create-or-replace')}) a customer by your own key.
- Retries are safe with an [idempotency key](${anchorOf('retries-and-concurrent-changes')}), and changes with an entity tag.
- [Exports](${anchorOf('exports')}) are XLSX, CSV, XML ([schema](/customers.xsd)) or JSON Lines files.
- [Imports](${anchorOf('imports')}) of the same files are planned, applied, and can be undone.
- A copy of the customers is kept up to date by the [changes](${anchorOf('changes')}) since a token, and proved right by [digests](${anchorOf('digests')}).
- [Errors](${anchorOf('errors')}) say what is wrong, where, and what would be right.

The [OpenAPI document](/openapi.json) describes all of it for programs, such as generators of clients.
The examples in the guides use these functions. \`API\` is the address of the API, without a slash at
its end, and \`TOKEN\` a token:

\`\`\`sh
${functions}\`\`\``;
}

/** Returns a link to the section of the guide with this title, in the API reference. */
export function guideLink(title: string): string {
  return `[${title}](${anchorOf(slugOf(title))})`;
}

function toDescription(markdown: string): string {
  return markdown
    .replaceAll(/^\| call .*\n(?:\|.*\n)+\n?/gm, '')
    .replaceAll(/\[([^\]]+)\]\(([^)]+)\)/g, (_, text: string, target: string) =>
      toLink(text.replaceAll('\n', ' '), target),
    )
    .trim();
}

function toLink(text: string, target: string): string {
  if (target.startsWith('#')) return `[${text}](${anchorOf(target.slice(1))})`;
  const served = SERVED[target];
  return served ? `[${text.replaceAll('`', '')}](${served})` : text;
}

/** Returns the anchor, in the API reference, of the tag that has a section of the guide. */
function anchorOf(section: string): string {
  const [tag] =
    Object.entries(OPERATION_TAGS).find(([, titles]) =>
      titles.some((title) => slugOf(title) === section),
    ) ?? [];
  return `#tag/${slugOf(tag ?? section)}`;
}

/** Returns a title as GitHub and Scalar write it in anchors. */
function slugOf(title: string): string {
  return title.toLowerCase().replaceAll(' ', '-');
}
