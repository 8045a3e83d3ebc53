import { CSV_TYPE } from '../../shared/formats/csv.ts';
import { api } from '../../shared/http/api.ts';
import { filterOfQuery } from '../../shared/http/filter-parameters.ts';
import { filteredExportResponses } from '../export-responses.ts';
import { request } from './contract.ts';

const respond = filteredExportResponses();

/** GET /customers/export/csv: exports all customers that meet the filters as a CSV file. */
export const handler = api(request, { produces: ['application/json', CSV_TYPE] }).handler(
  (event, context) => {
    const { delimiter, bom, ...filters } = event.queryStringParameters;
    return respond({ name: 'csv', delimiter, bom }, filterOfQuery(filters), context);
  },
);
