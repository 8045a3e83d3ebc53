import { JSON_LINES, JSON_LINES_TYPE } from '../../shared/formats/jsonl.ts';
import { exportByIdsHandler } from '../export-by-ids-handler.ts';
import { request } from './contract.ts';

/** POST /customers/export/jsonl: exports the customers with these ids as a file of JSON Lines. */
export const handler = exportByIdsHandler(request, JSON_LINES_TYPE, () => JSON_LINES);
