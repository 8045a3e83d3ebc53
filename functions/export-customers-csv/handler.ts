import { CSV_TYPE, csv } from '../../shared/formats/csv.ts';
import { exportByFilterHandler } from '../export-by-filter-handler.ts';
import { request } from './contract.ts';

/** GET /customers/export/csv: exports all customers that meet the filters as a CSV file. */
export const handler = exportByFilterHandler(request, CSV_TYPE, csv);
