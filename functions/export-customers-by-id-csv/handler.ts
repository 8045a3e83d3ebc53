import { CSV_TYPE, csv } from '../../shared/formats/csv.ts';
import { exportByIdsHandler } from '../export-by-ids-handler.ts';
import { request } from './contract.ts';

/** POST /customers/export/csv: exports the customers with these ids as a CSV file. */
export const handler = exportByIdsHandler(request, CSV_TYPE, csv);
