import { JSON_ROWS } from './json.ts';
import type { FileFormat } from './row-format.ts';

/**
 * Media type of JSON Lines. IANA has none; this is the one that jsonlines.org suggests and that
 * OpenAPI names.
 *
 * @see https://spec.openapis.org/registry/media-type/sequential_json
 */
export const JSON_LINES_TYPE = 'application/jsonl';

/** A file of JSON Lines in UTF-8: each customer as an object, as in the list, on a line of its own. */
export const JSON_LINES: FileFormat = {
  ...JSON_ROWS,
  mediaType: JSON_LINES_TYPE,
  contentType: JSON_LINES_TYPE,
  extension: 'jsonl',
  head: '',
  rowEnd: '}\n',
  tail: '',
};
