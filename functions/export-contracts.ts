import type { FormatName } from '../shared/domain/export.ts';
import type { ParameterDescription } from '../shared/http/contract.ts';
import {
  count,
  header,
  type Json,
  object,
  oneOfBy,
  ref,
  text,
  time,
} from '../shared/http/json-schema.ts';
import { uuidParameter } from '../shared/http/uuid-parameter.ts';
import type { Parameters } from '../shared/http/validation.ts';

/** Path parameter with the id of a long export. */
export const exportIdParameter = /* @__PURE__ */ uuidParameter('an export');
export const EXPORT_ID_DESCRIPTION: ParameterDescription = [
  'Id of the export, from the Location header of its 202.',
  '0f8fad5b-d9cb-469f-a165-70867728950e',
];

/** An export format as an endpoint offers it. */
export interface OfferedFormat<P extends Parameters> {
  /** Name of the format, the last segment of the path. */
  readonly name: FormatName;
  /** Name of the format in prose. */
  readonly title: string;
  /** Media type of the file, without parameters. */
  readonly mediaType: string;
  /** Description and example of each of its options. */
  readonly options: Readonly<Record<Extract<keyof P, string>, ParameterDescription>>;
}

const CHANGES_FROM =
  'Token of the changes since the customers were read, for `after` of GET /customers/changes.';

/** Returns the responses of an export whose file is ready. */
export function fileResponses(mediaType: string) {
  return {
    200: { description: 'The file is ready.', schema: ref('ExportedFile') },
    303: {
      description:
        `The file is ready; for a caller whose Accept prefers ${mediaType}. The store refuses the ` +
        'URL with 400 if the request has Authorization as well. Clients that keep this header ' +
        "across a redirect to another host, such as wget, Python's urllib and Java's HttpClient, " +
        'fetch the url of the 200 without it.',
      headers: {
        Location: header('Presigned URL of the file, valid without a token.'),
        'Changes-From': header(CHANGES_FROM),
      },
    },
  };
}

/** Returns the named schemas of exports. */
export function exportSchemas(): Readonly<Record<string, Json>> {
  const file = {
    url: text({ format: 'uri', description: 'Presigned URL of the file, valid without a token.' }),
    expires: time({ description: 'When the URL expires.' }),
    filename: text({ description: 'Name under which the file is saved.' }),
    contentType: text({ description: "The file's Content-Type." }),
    count: count({ description: 'How many customers are in the file.' }),
    bytes: count({ description: 'Size of the file.' }),
  };
  const changesFrom = text({ description: CHANGES_FROM });
  const progress = (state: Json) => ({
    exportId: text({ format: 'uuid', description: 'Id of the export, as in the path.' }),
    format: text({ enum: ['csv', 'xlsx', 'xml', 'jsonl'], description: 'Format of the file.' }),
    state: text({ description: 'State of the export.', ...state }),
    rowsDone: count({ description: 'How many customers are in the file so far.' }),
    rowsExpected: count({ description: 'Estimate of how many there will be.' }),
    started: time({ description: 'Time at which the export was started.' }),
    updated: time({ description: 'Time of the last progress, or of the end.' }),
  });
  const reason = text({ description: 'Why it failed.' });
  const failed = { ...progress({ const: 'failed' }), reason };
  const listed = progress({ enum: ['running', 'ready', 'canceled'] });
  return {
    ExportedFile: object({ ...file, changesFrom }),
    Export: oneOfBy('state', {
      running: 'RunningExport',
      ready: 'ReadyExport',
      failed: 'FailedExport',
      canceled: 'CanceledExport',
    }),
    ListedExport: {
      oneOf: [object(listed), ref('FailedExport')],
      description: 'A long export, without the members of its file.',
    },
    RunningExport: object({ ...progress({ const: 'running' }), changesFrom }),
    ReadyExport: object({ ...progress({ const: 'ready' }), ...file, changesFrom }),
    FailedExport: object(failed),
    CanceledExport: object(progress({ const: 'canceled' })),
  };
}
