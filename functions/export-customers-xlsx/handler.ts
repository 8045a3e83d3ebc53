import { XLSX_TYPE, xlsx } from '../../shared/formats/xlsx.ts';
import { exportByFilterHandler } from '../export-by-filter-handler.ts';
import { request } from './contract.ts';

/** GET /customers/export/xlsx: exports all customers that meet the filters as an XLSX file. */
export const handler = exportByFilterHandler(request, XLSX_TYPE, xlsx);
