import { XLSX_TYPE, xlsx } from '../../shared/formats/xlsx.ts';
import { exportByIdsHandler } from '../export-by-ids-handler.ts';
import { request } from './contract.ts';

/** POST /customers/export/xlsx: exports the customers with these ids as an XLSX file. */
export const handler = exportByIdsHandler(request, XLSX_TYPE, xlsx);
