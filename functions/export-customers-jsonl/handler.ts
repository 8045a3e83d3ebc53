import { JSON_LINES, JSON_LINES_TYPE } from '../../shared/formats/jsonl.ts';
import { exportByFilterHandler } from '../export-by-filter-handler.ts';
import { request } from './contract.ts';

/** GET /customers/export/jsonl: exports all customers that meet the filters as a file of JSON Lines. */
export const handler = exportByFilterHandler(request, JSON_LINES_TYPE, () => JSON_LINES);
