import { MAX_IDS_EXPORTED } from '../../shared/domain/limits.ts';
import { answerExport } from '../../shared/exports/export.ts';
import { CSV_PARAMETERS, CSV_TYPE, csv } from '../../shared/formats/csv.ts';
import { endpoint } from '../../shared/http/endpoint.ts';
import { idsSchema } from '../../shared/http/id-schemas.ts';
import { parseBody } from '../../shared/http/json-body.ts';
import { chosenRows } from '../../shared/storage/export-pages.ts';
import { rowWriter } from '../../shared/storage/serialized-items/item-serializer.ts';

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
