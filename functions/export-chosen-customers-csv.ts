import { idsSchema } from '../shared/customer/ids.ts';
import { CSV_PARAMETERS, CSV_TYPE, csv } from '../shared/export/csv.ts';
import { answerExport } from '../shared/export/export.ts';
import { parseBody } from '../shared/http/body.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { MAX_IDS_EXPORTED } from '../shared/limits.ts';
import { rowWriter } from '../shared/rows/row-writer.ts';
import { chosenRows } from '../shared/store/export-rows.ts';

const BodySchema = idsSchema(MAX_IDS_EXPORTED);

/** POST /customers/export/csv: the customers with these ids as a CSV file; absent ids are left out. */
export const handler = endpoint(
  async (request) => {
    request.query.allowOnly(CSV_PARAMETERS);
    const ids = parseBody(request, BodySchema).sort((a, b) => a - b);
    const format = csv(request.query);
    const rows = chosenRows(request.merchant, ids, rowWriter(format));
    return answerExport(request, format, rows, { mustHoldSome: true });
  },
  { offers: ['application/json', CSV_TYPE] },
);
